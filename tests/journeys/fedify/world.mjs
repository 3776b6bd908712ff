// What the foreign peer knows: its people, their posts, who follows whom, and everything that reached an inbox.

import { generateCryptoKeyPair } from "@fedify/fedify";

/** A person here, and what they did and received. `followers` and `following` are kept by actor id. */
class Someone {
  constructor(name) {
    this.name = name;
    this.displayName = name;
    this.summary = "";
    this.locked = false;
    this.pairs = null;
    this.followers = new Map();
    this.requests = new Map();
    this.following = new Map();
    this.posts = new Map();
    this.boosts = new Map();
    this.likes = new Map();
  }

  /** Their keys, made when first needed. RSA signs requests; for Ed25519 Fedify puts a proof on every document. */
  keys() {
    this.pairs ??= Promise.all(["RSASSA-PKCS1-v1_5", "Ed25519"].map((kind) => generateCryptoKeyPair(kind)));
    return this.pairs;
  }
}

export class World {
  constructor(names) {
    this.origin = "";
    this.people = new Map(names.map((name) => [name, new Someone(name)]));
    this.received = [];
    this.requests = [];
    this.serial = 0;
  }

  person(name) {
    const found = this.people.get(name ?? this.people.keys().next().value);
    if (found == null) throw new Error(`nobody here is called ${name}`);
    return found;
  }

  /** The person and the id of the post that `uri` names, if it is one of ours. */
  postAt(uri) {
    for (const person of this.people.values()) {
      for (const post of person.posts.values()) {
        if (post.uri === String(uri)) return { person, post };
      }
    }
    return null;
  }

  next() {
    this.serial += 1;
    return String(this.serial);
  }

  /** All of it as plain JSON, for a test to look at. */
  seen() {
    return {
      origin: this.origin,
      people: Object.fromEntries(
        [...this.people].map(([name, person]) => [
          name,
          {
            followers: [...person.followers.keys()],
            requests: [...person.requests.keys()],
            following: Object.fromEntries([...person.following].map(([uri, follow]) => [uri, follow.state])),
            posts: [...person.posts.values()],
          },
        ]),
      ),
      received: this.received,
      requests: this.requests,
    };
  }
}
