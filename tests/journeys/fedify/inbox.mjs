// What the foreign peer does with what it receives: it keeps everything, and keeps its follows straight.

import {
  Accept, Activity, Announce, Block, Create, Delete, Flag, Follow, Like, Reject, Undo, Update,
} from "@fedify/vocab";

export function setListeners(federation, world) {
  /** Keeps the document as Fedify understood it, with the name of the class it became. */
  const keep = (handler) => async (ctx, activity) => {
    const document = await activity.toJsonLd({ format: "compact", contextLoader: ctx.contextLoader });
    world.received.push({ kind: activity.constructor.name, to: ctx.recipient, document });
    await handler?.(ctx, activity);
  };

  const listeners = federation.setInboxListeners("/people/{identifier}/inbox", "/inbox");
  // Asks with a signature where it must fetch, as a server in secure mode wants.
  listeners.setSharedKeyDispatcher(() => ({ identifier: world.people.keys().next().value }));

  listeners.on(
    Follow,
    keep(async (ctx, follow) => {
      const target = ctx.parseUri(follow.objectId);
      const person = target?.type === "actor" ? world.people.get(target.identifier) : null;
      const follower = await follow.getActor(ctx);
      if (person == null || follower?.id == null || follower.inboxId == null) return;
      if (person.locked) {
        person.requests.set(follower.id.href, { follower, follow });
        return;
      }
      person.followers.set(follower.id.href, follower);
      await ctx.sendActivity(
        { identifier: person.name },
        follower,
        new Accept({
          id: new URL(`/activities/${world.next()}`, ctx.origin),
          actor: ctx.getActorUri(person.name),
          object: follow,
        }),
        { immediate: true },
      );
    }),
  );

  const settle = (state) => async (ctx, answer) => {
    const followed = answer.actorId?.href;
    for (const person of world.people.values()) {
      const follow = person.following.get(followed);
      if (follow != null) follow.state = state;
    }
  };
  listeners.on(Accept, keep(settle("accepted")));
  listeners.on(Reject, keep(settle("rejected")));

  listeners.on(
    Undo,
    keep(async (ctx, undo) => {
      const undone = await undo.getObject(ctx);
      if (!(undone instanceof Follow)) return;
      const target = ctx.parseUri(undone.objectId);
      if (target?.type === "actor") world.people.get(target.identifier)?.followers.delete(undo.actorId.href);
    }),
  );

  for (const kind of [Announce, Block, Create, Delete, Flag, Like, Update]) listeners.on(kind, keep());
  listeners.on(Activity, keep());
  listeners.onError((_ctx, error) => {
    world.received.push({ kind: "Error", document: String(error?.stack ?? error) });
  });
}
