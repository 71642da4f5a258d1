// The receiver against the vectors that notify's own tests use, and over a real socket.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { createReceiver, verify } from "./receiver.mjs";

const vectorsUrl = new URL("../../../notify-core/tests/vectors/notify-signature.json", import.meta.url);
const { vectors } = JSON.parse(readFileSync(vectorsUrl, "utf8"));
const [sample] = vectors;

const bodyOf = (vector) => Buffer.from(vector.payload_base64, "base64");

test("every vector verifies", () => {
  assert.ok(vectors.length > 0);
  for (const vector of vectors) assert.equal(verify(vector.secret, bodyOf(vector), vector.signature), true, vector.name);
});

test("one bit off in body or signature, or another secret, does not verify", () => {
  for (const vector of vectors) {
    const body = bodyOf(vector);
    assert.equal(verify(`${vector.secret} `, body, vector.signature), false, vector.name);
    if (body.length > 0) {
      body[0] ^= 1;
      assert.equal(verify(vector.secret, body, vector.signature), false, vector.name);
    }
    const tag = Buffer.from(vector.signature, "hex");
    tag[31] ^= 1;
    assert.equal(verify(vector.secret, bodyOf(vector), tag.toString("hex")), false, vector.name);
  }
});

test("a signature in another form does not verify and does not throw", () => {
  const { secret, signature } = sample;
  const bad = [undefined, "", signature.toUpperCase(), signature.slice(2), `${signature} `, `${signature}\n`,
    `sha256=${signature}`, `${signature}, ${signature}`, "é".repeat(64), [signature]];
  for (const text of bad) assert.equal(verify(secret, bodyOf(sample), text), false, String(text));
});

test("a body that was parsed and printed again does not verify", () => {
  const pretty = vectors.find((vector) => vector.name.startsWith("pretty"));
  const printed = Buffer.from(JSON.stringify(JSON.parse(pretty.payload)));
  assert.equal(verify(pretty.secret, printed, pretty.signature), false);
});

test("a receiver without a secret is refused", () => {
  assert.throws(() => createReceiver({ secret: "" }), /secret/);
});

async function post(port, body, headers, method = "POST") {
  const sent = request({ host: "127.0.0.1", port, method, path: "/hook", headers });
  sent.end(body);
  const [response] = await once(sent, "response");
  response.resume();
  await once(response, "end");
  return response.statusCode;
}

async function withReceiver(options, use) {
  const lines = [];
  const server = createReceiver({ ...options, log: (line) => lines.push(line) });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    await use(server.address().port, lines);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test("200 on a good signature, 401 on a bad or missing one, and a line only for the good one", async () => {
  await withReceiver({ secret: sample.secret }, async (port, lines) => {
    const body = bodyOf(sample);
    assert.equal(await post(port, body, { "X-Notify-Signature": sample.signature }), 200);
    assert.equal(await post(port, body, { "x-notify-signature": "0".repeat(64) }), 401);
    assert.equal(await post(port, body, {}), 401);
    assert.equal(await post(port, body, { "x-notify-signature": [sample.signature, sample.signature] }), 401);
    assert.equal(await post(port, undefined, {}, "GET"), 405);
    const { event_id, event } = JSON.parse(sample.payload);
    assert.deepEqual(lines, [{ event_id, event, verified: true, status: 200 }]);
  });
});

test("a verified body that is no envelope is taken all the same", async () => {
  const empty = vectors.find((vector) => vector.payload === "");
  await withReceiver({ secret: empty.secret }, async (port, lines) => {
    assert.equal(await post(port, undefined, { "x-notify-signature": empty.signature }), 200);
    assert.deepEqual(lines, [{ event_id: null, event: null, verified: true, status: 200 }]);
  });
});

test("the first --fail verified requests get a 503", async () => {
  await withReceiver({ secret: sample.secret, fail: 2 }, async (port, lines) => {
    const statuses = [];
    for (let i = 0; i < 3; i += 1) {
      statuses.push(await post(port, bodyOf(sample), { "x-notify-signature": sample.signature }));
    }
    assert.deepEqual(statuses, [503, 503, 200]);
    assert.deepEqual(lines.map((line) => line.status), statuses);
  });
});

test("a body over the limit is refused", async () => {
  await withReceiver({ secret: sample.secret }, async (port, lines) => {
    // The server may answer before it has read everything, or the sender may notice the closed connection first.
    const answer = await post(port, Buffer.alloc(2 * 1024 * 1024), {}).catch((error) => error.code);
    assert.ok([413, "ECONNRESET", "EPIPE"].includes(answer), String(answer));
    assert.deepEqual(lines, []);
  });
});

test("the program says where it listens and prints one line for a verified request", async () => {
  const program = fileURLToPath(new URL("./receiver.mjs", import.meta.url));
  const child = spawn(process.execPath, [program, "--port", "0", "--secret", sample.secret]);
  try {
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const [, port] = (await lines.next()).value.match(/^listening on http:\/\/127\.0\.0\.1:(\d+)$/);
    assert.equal(await post(Number(port), bodyOf(sample), { "x-notify-signature": sample.signature }), 200);
    const { event_id, event } = JSON.parse(sample.payload);
    assert.equal((await lines.next()).value, JSON.stringify({ event_id, event, verified: true, status: 200 }));
  } finally {
    child.kill();
    await once(child, "exit");
  }
});

test("the program without a secret says how to use it and exits with 2", async () => {
  const child = spawn(process.execPath, [fileURLToPath(new URL("./receiver.mjs", import.meta.url))]);
  child.stderr.setEncoding("utf8");
  let text = "";
  child.stderr.on("data", (chunk) => (text += chunk));
  const [code] = await once(child, "close");
  assert.equal(code, 2);
  assert.match(text, /usage: node receiver\.mjs --secret S/);
});
