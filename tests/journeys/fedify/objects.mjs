// What other servers may read here: actors with their keys, followers, outbox, posts, NodeInfo.

import { Create, Endpoints, Mention, Note, Person, PUBLIC_COLLECTION } from "@fedify/vocab";
import { Temporal } from "@js-temporal/polyfill";

const ACTOR = "/people/{identifier}";

/** Who hears of a post: `to` and `cc`, as other servers expect them for each visibility. */
export function audienceOf(ctx, person, post) {
  const followers = ctx.getFollowersUri(person.name);
  const named = post.mentions.map((mention) => new URL(mention.uri));
  switch (post.visibility) {
    case "public":
      return { tos: [PUBLIC_COLLECTION, ...named], ccs: [followers] };
    case "unlisted":
      return { tos: [followers, ...named], ccs: [PUBLIC_COLLECTION] };
    case "followers":
      return { tos: [followers, ...named], ccs: [] };
    default:
      return { tos: named, ccs: [] };
  }
}

export function noteOf(ctx, person, post) {
  return new Note({
    id: new URL(post.uri),
    attribution: ctx.getActorUri(person.name),
    content: post.html,
    summary: post.spoiler || null,
    sensitive: post.spoiler ? true : null,
    replyTarget: post.inReplyTo ? new URL(post.inReplyTo) : null,
    tags: post.mentions.map((mention) => new Mention({ href: new URL(mention.uri), name: mention.name })),
    published: Temporal.Instant.from(post.published),
    updated: post.updated ? Temporal.Instant.from(post.updated) : null,
    url: new URL(post.uri),
    ...audienceOf(ctx, person, post),
  });
}

export async function personOf(ctx, person) {
  const keys = await ctx.getActorKeyPairs(person.name);
  return new Person({
    id: ctx.getActorUri(person.name),
    preferredUsername: person.name,
    name: person.displayName,
    summary: person.summary,
    manuallyApprovesFollowers: person.locked,
    inbox: ctx.getInboxUri(person.name),
    outbox: ctx.getOutboxUri(person.name),
    followers: ctx.getFollowersUri(person.name),
    endpoints: new Endpoints({ sharedInbox: ctx.getInboxUri() }),
    url: ctx.getActorUri(person.name),
    publicKey: keys[0].cryptographicKey,
    assertionMethods: keys.map((pair) => pair.multikey),
  });
}

export function createOf(ctx, person, post) {
  const note = noteOf(ctx, person, post);
  return new Create({
    id: new URL(`${post.uri}#create`),
    actor: ctx.getActorUri(person.name),
    object: note,
    published: note.published,
    tos: note.toIds,
    ccs: note.ccIds,
    ...audienceOf(ctx, person, post),
  });
}

export function setObjects(federation, world) {
  federation
    .setActorDispatcher(ACTOR, (ctx, name) => {
      const person = world.people.get(name);
      return person ? personOf(ctx, person) : null;
    })
    .setKeyPairsDispatcher((_ctx, name) => world.people.get(name)?.keys() ?? []);

  federation
    .setFollowersDispatcher(`${ACTOR}/followers`, (_ctx, name) => ({
      items: [...world.person(name).followers.values()],
    }))
    .setCounter((_ctx, name) => world.person(name).followers.size);

  federation
    .setOutboxDispatcher(`${ACTOR}/outbox`, (ctx, name) => {
      const person = world.person(name);
      const open = [...person.posts.values()].filter((post) => isOpen(post));
      return { items: open.reverse().map((post) => createOf(ctx, person, post)) };
    })
    .setCounter((_ctx, name) => [...world.person(name).posts.values()].filter(isOpen).length);

  federation.setObjectDispatcher(Note, `${ACTOR}/posts/{id}`, (ctx, { identifier, id }) => {
    const person = world.people.get(identifier);
    const post = person?.posts.get(id);
    // What is not public is never handed to somebody who merely asks: it was delivered to whom it is for.
    return post && isOpen(post) ? noteOf(ctx, person, post) : null;
  });

  federation.setNodeInfoDispatcher("/nodeinfo/2.1", () => ({
    software: { name: "yanlu-foreign-peer", version: "1.0.0" },
    protocols: ["activitypub"],
    usage: { users: { total: world.people.size }, localPosts: 0, localComments: 0 },
  }));
}

function isOpen(post) {
  return post.visibility === "public" || post.visibility === "unlisted";
}
