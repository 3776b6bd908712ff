// What a test can make a person of the foreign peer do; each act is delivered before it returns.

import {
  Accept, Announce, Block, Delete, Follow, isActor, Like, Reject, Tombstone, Undo, Update, PUBLIC_COLLECTION,
} from "@fedify/vocab";
import { Temporal } from "@js-temporal/polyfill";

import { audienceOf, createOf, noteOf, personOf } from "./objects.mjs";

export class Acts {
  constructor(ctx, world) {
    this.ctx = ctx;
    this.world = world;
  }

  /** An actor of another server, read with Fedify's own loader and believed by Fedify's own rules. */
  async actor(uri) {
    const loader = await this.ctx.getDocumentLoader({ identifier: this.world.person().name });
    const found = await this.ctx.lookupObject(uri, { documentLoader: loader });
    if (!isActor(found)) throw new Error(`no actor at ${uri}`);
    return found;
  }

  async send(person, recipients, activity) {
    await this.ctx.sendActivity({ identifier: person.name }, recipients, activity, {
      immediate: true,
      preferSharedInbox: true,
    });
    return { id: activity.id.href };
  }

  id() {
    return new URL(`/activities/${this.world.next()}`, this.ctx.origin);
  }

  /** Followers, the mentioned, and any others who must hear of a post. */
  async listeners(person, post, others = []) {
    const named = [...post.mentions.map((mention) => mention.uri), ...others];
    const found = await Promise.all(named.map((uri) => this.actor(uri)));
    const followers = post.visibility === "direct" ? [] : [...person.followers.values()];
    return [...followers, ...found];
  }

  /** What Fedify understands of a handle or an id. */
  async lookup({ uri }) {
    const found = await this.ctx.lookupObject(uri);
    return found == null ? { found: null } : { found: await found.toJsonLd({ format: "compact" }) };
  }

  async follow({ as, target }) {
    const person = this.world.person(as);
    const actor = await this.actor(target);
    const follow = new Follow({ id: this.id(), actor: this.ctx.getActorUri(person.name), object: actor.id });
    person.following.set(actor.id.href, { state: "requested", id: follow.id.href });
    return this.send(person, actor, follow);
  }

  async unfollow({ as, target }) {
    const person = this.world.person(as);
    const actor = await this.actor(target);
    const me = this.ctx.getActorUri(person.name);
    const follow = person.following.get(actor.id.href);
    person.following.delete(actor.id.href);
    const object = new Follow({ id: new URL(follow.id), actor: me, object: actor.id });
    return this.send(person, actor, new Undo({ id: this.id(), actor: me, object }));
  }

  async answer(kind, { as, follower }) {
    const person = this.world.person(as);
    const request = person.requests.get(follower);
    person.requests.delete(follower);
    if (kind === Accept) person.followers.set(follower, request.follower);
    const actor = this.ctx.getActorUri(person.name);
    return this.send(person, request.follower, new kind({ id: this.id(), actor, object: request.follow }));
  }

  async accept(asked) {
    return this.answer(Accept, asked);
  }

  async reject(asked) {
    return this.answer(Reject, asked);
  }

  async post({ as, html, visibility = "public", mentions = [], inReplyTo = null, spoiler = "" }) {
    const person = this.world.person(as);
    const id = this.world.next();
    const post = {
      uri: new URL(`/people/${person.name}/posts/${id}`, this.ctx.origin).href,
      html, visibility, mentions, inReplyTo, spoiler,
      published: Temporal.Now.instant().toString(),
      updated: null,
    };
    person.posts.set(id, post);
    await this.send(person, await this.listeners(person, post), createOf(this.ctx, person, post));
    return { uri: post.uri };
  }

  async update({ uri, html }) {
    const { person, post } = this.world.postAt(uri);
    post.html = html;
    post.updated = Temporal.Now.instant().toString();
    const actor = this.ctx.getActorUri(person.name);
    const object = noteOf(this.ctx, person, post);
    const audience = audienceOf(this.ctx, person, post);
    return this.send(
      person,
      await this.listeners(person, post),
      new Update({ id: this.id(), actor, object, ...audience }),
    );
  }

  async delete({ uri }) {
    const { person, post } = this.world.postAt(uri);
    for (const [id, one] of person.posts) if (one === post) person.posts.delete(id);
    const actor = this.ctx.getActorUri(person.name);
    const object = new Tombstone({ id: new URL(uri) });
    const gone = new Delete({ id: this.id(), actor, object, to: PUBLIC_COLLECTION });
    return this.send(person, await this.listeners(person, post), gone);
  }

  async profile({ as, displayName, summary, locked }) {
    const person = this.world.person(as);
    person.displayName = displayName ?? person.displayName;
    person.summary = summary ?? person.summary;
    person.locked = locked ?? person.locked;
    const actor = this.ctx.getActorUri(person.name);
    const object = await personOf(this.ctx, person);
    const update = new Update({ id: this.id(), actor, object, to: PUBLIC_COLLECTION });
    return this.send(person, [...person.followers.values()], update);
  }

  /** An act on somebody's post or on themselves, remembered so that it can be taken back. */
  async onObject(kind, { as, object, author, ...fields }) {
    const person = this.world.person(as);
    const others = fields.followers === true ? [...person.followers.values()] : [];
    delete fields.followers;
    const act = new kind({ id: this.id(), actor: this.ctx.getActorUri(person.name), object: new URL(object), ...fields });
    person.likes.set(`${kind.name} ${object}`, act);
    return this.send(person, [await this.actor(author), ...others], act);
  }

  async undo(kind, { as, object, author }) {
    const person = this.world.person(as);
    const act = person.likes.get(`${kind.name} ${object}`);
    const actor = this.ctx.getActorUri(person.name);
    return this.send(
      person,
      [await this.actor(author), ...person.followers.values()],
      new Undo({ id: this.id(), actor, object: act, tos: act.toIds, ccs: act.ccIds }),
    );
  }

  async like(asked) {
    return this.onObject(Like, asked);
  }

  async unlike(asked) {
    return this.undo(Like, asked);
  }

  async announce(asked) {
    const person = this.world.person(asked.as);
    return this.onObject(Announce, {
      ...asked,
      followers: true,
      published: Temporal.Now.instant(),
      to: PUBLIC_COLLECTION,
      cc: this.ctx.getFollowersUri(person.name),
    });
  }

  async unannounce(asked) {
    return this.undo(Announce, asked);
  }

  async block({ as, target }) {
    return this.onObject(Block, { as, object: target, author: target });
  }

  async unblock({ as, target }) {
    return this.undo(Block, { as, object: target, author: target });
  }
}
