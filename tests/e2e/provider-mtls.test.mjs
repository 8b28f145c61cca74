// TLS client certificates: as a credential of their own, and as what a token is bound to (RFC 8705). The connection
// is played: `request.cf` tells of it what the platform would. MT-01 to MT-08 are the numbers of the checks.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { decodeJwt } from "jose";
import { bare, device, other, over } from "./provider/certificates.mjs";
import { clientOf } from "./provider/client.mjs";
import { OPAQUE_API, SECRET } from "./provider/configuration.mjs";
import { gatewayFor, jwtOf, opaqueOf } from "./provider/gateway.mjs";
import { mint } from "./provider/mint.mjs";
import { startProvider } from "./provider/provider.mjs";

/** What the platform says of connections that prove nothing, though a certificate is in sight. */
const UNPROVEN = {
  "not verified": { certVerified: "NONE" },
  "signed by itself": { certVerified: "FAILED:self signed certificate" },
  "over": { certVerified: "FAILED:certificate has expired" },
  "verified in another case": { certVerified: "success" },
  "verified, it is not said": { certVerified: undefined },
  "revoked": { certRevoked: "1" },
  "not revoked, it is not said": { certRevoked: undefined },
  "not presented": { certPresented: "0" },
  "presented, it is not said": { certPresented: undefined },
};
/** Fingerprints that are none. */
const NO_FINGERPRINTS = [
  ...["", "zz".repeat(32), device.fingerprint.slice(2), `${device.fingerprint}00`],
  ...[device.thumbprint, undefined],
];
/** In which proxies write a certificate for those behind them (RFC 9440, and what is common). */
const FIELDS = {
  "client-cert": device.field,
  "client-cert-chain": device.field,
  client_cert: device.field,
  "x-client-cert": device.header,
  "x-ssl-client-cert": device.header,
  "x-forwarded-client-cert": `Hash=${device.fingerprint}`,
  "x-arr-clientcert": device.header,
  "ssl-client-verify": "SUCCESS",
  "cf-client-cert-sha256": device.fingerprint,
};

let provider;
let machine;
let bound;

before(async () => {
  provider = await startProvider();
  machine = await clientOf(provider, "mtls-machine", { certificate: device.header });
  bound = (await machine.credentials()).access_token;
});

after(() => provider?.stop());

async function begin(t, authenticators, more) {
  const gateway = await gatewayFor({ authenticators, vars: { INTROSPECTION_SECRET: SECRET }, ...more });
  t.after(() => gateway.stop());
  return gateway;
}

const KNOWN = { subject: "device-17", tenant: "acme", scopes: ["orders:read"], roles: ["device"] };
const certificates = {
  kind: "client_certificate",
  subjects: [{ fingerprint_sha256: device.fingerprint, ...KNOWN }],
};

async function isRefused(answer, code, message) {
  assert.equal(answer.status, 401, message);
  assert.equal((await answer.json()).code, code, message);
  assert.ok(answer.headers.get("www-authenticate"), message);
}

test("a listed certificate is a caller, and the origin is told which", async (t) => {
  const gateway = await begin(t, { devices: certificates });
  assert.equal((await gateway.ask({}, { cf: over(device) })).status, 200);
  const { sub: subject, tenant, scopes, roles, auth } = gateway.told();
  assert.deepEqual({ subject, tenant, scopes, roles, auth }, { ...KNOWN, auth: "devices" });
  const upper = { certFingerprintSHA256: device.fingerprint.toUpperCase() };
  assert.equal((await gateway.ask({}, { cf: over(device, upper) })).status, 200, "hex has no case (MT-05)");
});

test("a certificate that is not listed, or that the platform does not vouch for, is nobody's (MT-05)", async (t) => {
  const gateway = await begin(t, { devices: certificates });
  await isRefused(await gateway.ask({}, { cf: over(other) }), "credential-invalid", "not listed");
  for (const [name, change] of Object.entries(UNPROVEN)) {
    const answer = await gateway.ask({}, { cf: over(device, change) });
    assert.equal(answer.status, 401, name);
    const code = name.includes("presented") ? /^credential-(?:invalid|missing)$/ : /^credential-invalid$/;
    assert.match((await answer.json()).code, code, name);
  }
  for (const certFingerprintSHA256 of NO_FINGERPRINTS) {
    const cf = over(device, { certFingerprintSHA256 });
    await isRefused(await gateway.ask({}, { cf }), "credential-invalid", certFingerprintSHA256);
  }
  await isRefused(await gateway.ask({}, { cf: bare }), "credential-missing", "none");
  await isRefused(await gateway.ask({}, { cf: { tlsClientAuth: undefined } }), "credential-missing", "nothing is said");
  await isRefused(await gateway.ask({}, { cf: { tlsClientAuth: "1" } }), "credential-missing", "nonsense is said");
  assert.equal(gateway.origin.requests.length, 0);
});

test("a certificate without the scopes of a route is refused there", async (t) => {
  const gateway = await begin(t, { devices: certificates }, {
    routes: { "GET /admin": { auth: ["devices"], require: { scopes: ["orders:write"] } } },
  });
  const answer = await gateway.ask({}, { cf: over(device), path: "/admin" });
  assert.deepEqual([answer.status, (await answer.json()).code], [403, "insufficient-scope"]);
});

test("a certificate beside another credential does not mend it, nor does it stand in the way", async (t) => {
  const gateway = await begin(t, { devices: certificates, accounts: jwtOf(provider) });
  await isRefused(await gateway.bearer("nonsense", { cf: over(device) }), "credential-invalid", "a bad token");
  const token = (await (await clientOf(provider, "machine")).credentials()).access_token;
  const answer = await gateway.bearer(token, { cf: over(device) });
  assert.equal(answer.status, 200, "a token over a connection that has a certificate too");
  assert.equal(gateway.told().sub, "machine");
});

test("a bound token is good over a connection with its certificate (MT-01)", async (t) => {
  assert.equal(decodeJwt(bound).cnf["x5t#S256"], device.thumbprint);
  for (const sender_constraint of ["required", "optional"]) {
    const gateway = await begin(t, { accounts: jwtOf(provider, { sender_constraint }) });
    for (const round of [1, 2]) {
      const answer = await gateway.bearer(bound, { cf: over(device) });
      assert.equal(answer.status, 200, `${sender_constraint}, request ${round}`);
    }
    assert.equal(gateway.told().sub, "mtls-machine");
  }
});

test("a bound token is nothing without its certificate (MT-02, MT-03, MT-05)", async (t) => {
  for (const sender_constraint of ["required", "optional"]) {
    const gateway = await begin(t, { accounts: jwtOf(provider, { sender_constraint }) });
    const refused = async (cf, name) => isRefused(await gateway.bearer(bound, { cf }), "credential-invalid", name);
    // The good one first: no verdict on the token alone may be remembered for other connections.
    assert.equal((await gateway.bearer(bound, { cf: over(device) })).status, 200);
    await refused(bare, "no certificate");
    await refused({ tlsClientAuth: undefined }, "nothing is said");
    await refused(over(other), "another certificate");
    for (const [name, change] of Object.entries(UNPROVEN)) await refused(over(device, change), name);
    for (const certFingerprintSHA256 of NO_FINGERPRINTS) {
      await refused(over(device, { certFingerprintSHA256 }), certFingerprintSHA256);
    }
    assert.equal((await gateway.bearer(bound, { cf: over(device) })).status, 200, sender_constraint);
  }
});

test("all of the thumbprint is compared, and nothing but a thumbprint (MT-01, MT-04)", async (t) => {
  const gateway = await begin(t, { accounts: jwtOf(provider, { sender_constraint: "required" }) });
  const status = async (cnf) => (await gateway.bearer(await mint(provider, { cnf }), { cf: over(device) })).status;
  const bytes = Buffer.from(device.thumbprint, "base64url");
  const turned = (index) => Buffer.from(bytes.map((byte, at) => (at === index ? byte ^ 1 : byte))).toString("base64url");
  const { thumbprint, fingerprint } = device;
  const near = [turned(0), turned(15), turned(31), thumbprint.slice(1), `${thumbprint}=`, `${thumbprint}A`];
  const others = [fingerprint, bytes.toString("base64"), "", 7, null, [thumbprint]];
  for (const value of [...near, ...others]) assert.equal(await status({ "x5t#S256": value }), 401, `${value}`);
  for (const cnf of [{}, "x", [], null, { kid: "x" }, { x5t: device.thumbprint }, { "X5T#S256": device.thumbprint }]) {
    assert.equal(await status(cnf), 401, JSON.stringify(cnf));
  }
  const both = { "x5t#S256": device.thumbprint, jkt: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" };
  assert.equal(await status(both), 401, "bound to two things, one of them shown");
  assert.equal(await status({ "x5t#S256": device.thumbprint }), 200);
});

test("an unbound token is refused where a binding is required", async (t) => {
  const token = (await (await clientOf(provider, "machine")).credentials()).access_token;
  for (const [sender_constraint, expected] of [["required", 401], ["optional", 200]]) {
    const gateway = await begin(t, { accounts: jwtOf(provider, { sender_constraint }) });
    assert.equal((await gateway.bearer(token, { cf: over(device) })).status, expected, sender_constraint);
  }
});

test("what a client writes of a certificate in its headers does not count and goes no further (MT-06)", async (t) => {
  const gateway = await begin(t, {
    devices: certificates,
    accounts: jwtOf(provider, { sender_constraint: "required" }),
  });
  for (const [name, value] of Object.entries(FIELDS)) {
    const written = { [name]: value };
    const withToken = { ...written, authorization: `Bearer ${bound}` };
    await isRefused(await gateway.ask(written, { cf: bare }), "credential-missing", name);
    await isRefused(await gateway.ask(withToken, { cf: bare }), "credential-invalid", name);
    await isRefused(await gateway.ask(written, { cf: over(other) }), "credential-invalid", name);
  }
  assert.equal(gateway.origin.requests.length, 0);
  assert.equal((await gateway.ask(FIELDS, { cf: over(device) })).status, 200);
  const told = Object.keys(gateway.origin.requests[0].headers).filter((name) => /cert|ssl/i.test(name));
  assert.deepEqual(told, []);
});

test("a fingerprint is no token, whosever connection it comes over (MT-07)", async (t) => {
  const gateway = await begin(t, {
    devices: certificates,
    accounts: jwtOf(provider, { sender_constraint: "required" }),
    keys: { kind: "api_key" },
  }, { vars: { KEY_PEPPER: "a pepper of tests, long enough to be one" } });
  for (const text of [device.fingerprint, device.thumbprint, `acme${device.fingerprint}`, device.header]) {
    const brought = [{ authorization: `Bearer ${text}` }, { "x-api-key": text }, { authorization: `DPoP ${text}` }];
    for (const cf of [bare, over(other)]) {
      for (const headers of brought) {
        const answer = await gateway.ask(headers, { cf });
        assert.ok([400, 401].includes(answer.status), `${answer.status} for ${JSON.stringify(headers)}`);
      }
    }
  }
  assert.equal(gateway.origin.requests.length, 0);
});

test("an opaque token is bound by what its issuer says of it (MT-08)", async (t) => {
  const gateway = await begin(t, { accounts: opaqueOf(provider, { sender_constraint: "required" }) });
  const token = (await machine.credentials(OPAQUE_API)).access_token;
  for (const round of [1, 2]) {
    assert.equal((await gateway.bearer(token, { cf: over(device) })).status, 200, `request ${round}`);
    for (const cf of [bare, over(other), over(device, { certVerified: "NONE" })]) {
      await isRefused(await gateway.bearer(token, { cf }), "credential-invalid", JSON.stringify(cf));
    }
  }
  assert.equal(provider.introspection.asked, 1, "the binding is checked on remembered answers too");
  const unbound = (await (await clientOf(provider, "machine")).credentials(OPAQUE_API)).access_token;
  await isRefused(await gateway.bearer(unbound, { cf: over(device) }), "credential-invalid", "unbound");
});
