// A receiver of notify's webhooks on Node alone, no packages: how to check `x-notify-signature` right.
// It leaves out what a service adds: TLS, a store that remembers event ids, a queue behind the answer.

import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const MAX_BODY_BYTES = 1024 * 1024;

/**
 * Whether `signature` is the lower-case hex HMAC-SHA256 of `body` under `secret`.
 *
 * `body` is the request's bytes as received: a body that was parsed and printed again has another signature.
 */
export function verify(secret, body, signature) {
  // The form first: timingSafeEqual throws on unequal lengths, and a repeated header joins to a longer text.
  if (typeof signature !== "string" || !/^[0-9a-f]{64}$/.test(signature)) return false;
  const expected = createHmac("sha256", Buffer.from(secret, "utf8")).update(body).digest();
  return timingSafeEqual(expected, Buffer.from(signature, "hex"));
}

/** A server that answers 200 to a verified POST, 401 to any other; the first `fail` verified ones get a 503. */
export function createReceiver({ secret, fail = 0, log = () => {} }) {
  if (!secret) throw new Error("a receiver needs the endpoint's secret");
  let failures = fail;
  return createServer(async (request, response) => {
    const answer = (status) => response.writeHead(status, { "content-length": 0 }).end();
    try {
      if (request.method !== "POST") return answer(405);
      const body = await readBody(request);
      if (body === null) return response.writeHead(413, { connection: "close", "content-length": 0 }).end();
      if (!verify(secret, body, request.headers["x-notify-signature"])) return answer(401);
      // Verified first, parsed second: nothing of a stranger's body is looked at.
      const event = parse(body);
      // Exactly 200: to notify, another 2xx is a failed attempt.
      const status = failures > 0 ? 503 : 200;
      failures -= status === 503 ? 1 : 0;
      log({ event_id: event.event_id ?? null, event: event.event ?? null, verified: true, status });
      answer(status);
    } catch {
      response.destroy();
    }
  });
}

/** The body's bytes; null if there are too many. */
async function readBody(request) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The envelope; empty where the body is none, which notify never sends. */
function parse(body) {
  try {
    return JSON.parse(body.toString("utf8")) ?? {};
  } catch {
    return {};
  }
}

function main() {
  const number = (text, name) => {
    if (!/^\d{1,5}$/.test(text)) throw new Error(`--${name} needs a whole number`);
    return Number(text);
  };
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: "0" },
      secret: { type: "string" },
      fail: { type: "string", default: "0" },
    },
  });
  const server = createReceiver({
    secret: values.secret,
    fail: number(values.fail, "fail"),
    log: (line) => console.log(JSON.stringify(line)),
  });
  server.on("error", (error) => {
    console.error(`cannot listen: ${error.message}`);
    process.exit(2);
  });
  server.listen(number(values.port, "port"), "127.0.0.1", () => {
    console.log(`listening on http://127.0.0.1:${server.address().port}`);
  });
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    main();
  } catch (error) {
    console.error(`${error.message}\nusage: node receiver.mjs --secret S [--port 0] [--fail N]`);
    process.exit(2);
  }
}
