// A TLS server that asks for a client certificate, as an origin behind mTLS. The keys are of these tests alone and
// secret to nobody; the certificates are good for a hundred years.
import { createServer } from "node:https";

/** Of the server (for 127.0.0.1), of the gateway, and of somebody else: `{ certificate, key }` in PEM. */
export const server = {
  certificate: `-----BEGIN CERTIFICATE-----
MIIBpTCCAUugAwIBAgIUKbyD9tL1LKR90Ht7Iet40EqxkHQwCgYIKoZIzj0EAwIw
GTEXMBUGA1UEAwwOc2VydmVyLmV4YW1wbGUwIBcNMjYxMTI1MTkwNDQ3WhgPMjEy
NjExMDExOTA0NDdaMBkxFzAVBgNVBAMMDnNlcnZlci5leGFtcGxlMFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAEy5Mvd749FcxagxPiS+1Ln+NGBkEtt9sULlrXEx9P
Nhay3u8H8Ldk8C4qP8u+7nDJwrZq8v6JODJlxNMg8kfWfqNvMG0wHQYDVR0OBBYE
FHF0lr91THqFXACp+ms1c9gGjoc7MB8GA1UdIwQYMBaAFHF0lr91THqFXACp+ms1
c9gGjoc7MA8GA1UdEwEB/wQFMAMBAf8wGgYDVR0RBBMwEYIJbG9jYWxob3N0hwR/
AAABMAoGCCqGSM49BAMCA0gAMEUCIGBRXb1On+ALW1ZSK2AgTq4vOacNBs9JCy0t
sHPxj0elAiEA++kbqPhfiOpMvxT4HNY3B5462TAZWH4ce9FSfTPKHKo=
-----END CERTIFICATE-----`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgwJ5IJOkz5nSCERHw
x4vW5X1pO4z2e6EyEx3lbr36p3ahRANCAATLky93vj0VzFqDE+JL7Uuf40YGQS23
2xQuWtcTH082FrLe7wfwt2TwLio/y77ucMnCtmry/ok4MmXE0yDyR9Z+
-----END PRIVATE KEY-----`,
};

export const client = {
  certificate: `-----BEGIN CERTIFICATE-----
MIIBpTCCAUugAwIBAgIUTX8rConDR82kG27Y/VA9oytWGjwwCgYIKoZIzj0EAwIw
GTEXMBUGA1UEAwwOY2xpZW50LmV4YW1wbGUwIBcNMjYxMTI1MTkwNDQ3WhgPMjEy
NjExMDExOTA0NDdaMBkxFzAVBgNVBAMMDmNsaWVudC5leGFtcGxlMFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAETpBqUUb5qvSOSK3k8ozKT2aKTsUBcRyEYAs3ttX6
gCXTSYpqaULGO6dINOVfRs9sq5r5A64MQny4g+ogLI+o7KNvMG0wHQYDVR0OBBYE
FEw8wXzs2+fDsiCP/8Z1KWQNplEcMB8GA1UdIwQYMBaAFEw8wXzs2+fDsiCP/8Z1
KWQNplEcMA8GA1UdEwEB/wQFMAMBAf8wGgYDVR0RBBMwEYIJbG9jYWxob3N0hwR/
AAABMAoGCCqGSM49BAMCA0gAMEUCIQCcjdaNCOuL+G8VGhotpDKUjYz25j/6QONo
FrNseUb2OAIgKJWb/wY9LHBHQNO84YCsaJE3vFNPXUcomUazKriRFms=
-----END CERTIFICATE-----`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQggSpBDo/cayR6nc0K
FIr8XDIm2SbtCOqP7SMay2Cq2w6hRANCAAROkGpRRvmq9I5IreTyjMpPZopOxQFx
HIRgCze21fqAJdNJimppQsY7p0g05V9Gz2yrmvkDrgxCfLiD6iAsj6js
-----END PRIVATE KEY-----`,
};

export const other = {
  certificate: `-----BEGIN CERTIFICATE-----
MIIBojCCAUmgAwIBAgIUX9ALQAQduj+8Bpl232QLyaQkuFkwCgYIKoZIzj0EAwIw
GDEWMBQGA1UEAwwNb3RoZXIuZXhhbXBsZTAgFw0yNjExMjUxOTA0NDdaGA8yMTI2
MTEwMTE5MDQ0N1owGDEWMBQGA1UEAwwNb3RoZXIuZXhhbXBsZTBZMBMGByqGSM49
AgEGCCqGSM49AwEHA0IABBCaTThFwvgzOHmLe1MtSkO/yRloXG4M8vRrzoqhQB8L
69KTFEje7c26viErmRbUeWHD+lt0CsfV3fBi69eU1JGjbzBtMB0GA1UdDgQWBBSw
bxThm6QTgkWInaeuj52Mb7znDDAfBgNVHSMEGDAWgBSwbxThm6QTgkWInaeuj52M
b7znDDAPBgNVHRMBAf8EBTADAQH/MBoGA1UdEQQTMBGCCWxvY2FsaG9zdIcEfwAA
ATAKBggqhkjOPQQDAgNHADBEAiBLRZhdxs6peX6bErGVsI7EKFFzIZDUeEObXPRR
1GJpugIgP/d9RIdomzsqmnkOXCL0lDjEqN08usaIg4trWV6kCjY=
-----END CERTIFICATE-----`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgMmisLddKFi+epNyn
1AqlHhs42BzyUSc+x/1DtO/R87OhRANCAAQQmk04RcL4Mzh5i3tTLUpDv8kZaFxu
DPL0a86KoUAfC+vSkxRI3u3Nur4hK5kW1Hlhw/pbdArH1d3wYuvXlNSR
-----END PRIVATE KEY-----`,
};

/** Answers only connections that show `client`'s certificate; `requests` are `{ method, url, subject }`. */
export async function mtlsOrigin() {
  const requests = [];
  const options = { cert: server.certificate, key: server.key, ca: [client.certificate] };
  const listener = createServer({ ...options, requestCert: true, rejectUnauthorized: true }, (request, response) => {
    const subject = request.socket.getPeerCertificate().subject?.CN;
    requests.push({ method: request.method, url: request.url, subject });
    if (request.url === "/moved") return response.writeHead(302, { location: "/orders" }).end();
    response.end("ok");
  });
  await new Promise((listening) => listener.listen(0, "127.0.0.1", listening));
  return {
    url: `https://127.0.0.1:${listener.address().port}`,
    requests,
    async stop() {
      listener.closeAllConnections();
      await new Promise((closed) => listener.close(closed));
    },
  };
}

/** A binding that goes to the network with a certificate, as an mTLS certificate binding does; without, as one that shows none. */
export const certificateBinding = (own) => ({
  network: {
    allow: ["local", "private"],
    tlsOptions: {
      trustedCertificates: [server.certificate],
      ...(own && { keypair: { privateKey: own.key, certificateChain: own.certificate } }),
    },
  },
});
