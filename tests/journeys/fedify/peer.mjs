// A small foreign server on the Fedify library, for the journey tests: people, posts, follows, all in memory.
//
// It speaks plain http on loopback, with its own keys, and checks what it receives exactly as Fedify does by default; the one
// rule relaxed is that private addresses may be reached. `/control/...` is how a test makes its people act and reads what
// they received; everything else is the server that other servers see.
//
//   node peer.mjs --host 127.0.0.1 --port 0 --users fei,yun [--first-knock rfc9421|draft-cavage-http-signatures-12]
//
// Prints one JSON line with its origin when it listens.

import { createServer } from "node:http";
import { parseArgs } from "node:util";

import { createFederation, MemoryKvStore } from "@fedify/fedify";

import { Acts } from "./acts.mjs";
import { setListeners } from "./inbox.mjs";
import { setObjects } from "./objects.mjs";
import { World } from "./world.mjs";

const { values: given } = parseArgs({
  options: {
    host: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "0" },
    users: { type: "string", default: "fei" },
    "first-knock": { type: "string", default: "rfc9421" },
  },
});

const world = new World(given.users.split(","));

const federation = createFederation({
  kv: new MemoryKvStore(),
  allowPrivateAddress: true,
  firstKnock: given["first-knock"],
  userAgent: { software: "YanluForeignPeer/1.0" },
});
setObjects(federation, world);
setListeners(federation, world);

/** The whole body of a node request, as bytes. */
async function bodyOf(incoming) {
  const parts = [];
  for await (const part of incoming) parts.push(part);
  return Buffer.concat(parts);
}

async function answer(outgoing, response) {
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  outgoing.end(Buffer.from(await response.arrayBuffer()));
}

async function control(acts, path, method, body) {
  if (method === "GET" && path === "state") return Response.json(world.seen());
  const act = method === "POST" && Object.hasOwn(Acts.prototype, path) ? acts[path] : null;
  if (act == null) return Response.json({ error: `no such act: ${path}` }, { status: 404 });
  const asked = body.length > 0 ? JSON.parse(body.toString("utf8")) : {};
  return Response.json((await act.call(acts, asked)) ?? {});
}

const server = createServer(async (incoming, outgoing) => {
  const url = new URL(incoming.url, `http://${incoming.headers.host}`);
  try {
    const body = await bodyOf(incoming);
    if (url.pathname.startsWith("/control/")) {
      const acts = new Acts(federation.createContext(new URL(origin), undefined), world);
      await answer(outgoing, await control(acts, url.pathname.slice("/control/".length), incoming.method, body));
      return;
    }
    const headers = new Headers();
    for (const [name, value] of Object.entries(incoming.headers)) {
      headers.set(name, Array.isArray(value) ? value.join(", ") : value);
    }
    const bodiless = incoming.method === "GET" || incoming.method === "HEAD";
    const request = new Request(url, { method: incoming.method, headers, body: bodiless ? undefined : body });
    const response = await federation.fetch(request, { contextData: undefined });
    world.requests.push({
      method: incoming.method,
      path: url.pathname,
      status: response.status,
      dialect: headers.has("signature-input") ? "rfc9421" : headers.has("signature") ? "cavage" : null,
      userAgent: headers.get("user-agent"),
    });
    await answer(outgoing, response);
  } catch (error) {
    console.error(error);
    await answer(outgoing, Response.json({ error: String(error?.stack ?? error) }, { status: 502 }));
  }
});

let origin = "";
server.listen(Number(given.port), given.host, () => {
  origin = `http://${given.host}:${server.address().port}`;
  world.origin = origin;
  console.log(JSON.stringify({ origin }));
});

for (const signal of ["SIGTERM", "SIGINT"]) {
  process.on(signal, () => {
    server.close();
    server.closeAllConnections();
    process.exit(0);
  });
}
