// Two TLS client certificates, and how the platform tells of one. Their private keys are gone: nothing here proves
// to hold one, the platform does that on a real connection.
import { X509Certificate, createHash } from "node:crypto";

const DEVICE_PEM = `-----BEGIN CERTIFICATE-----
MIIBiTCCAS+gAwIBAgIUfK/lV6GWNh7VmBjTuvSI/nEU9XcwCgYIKoZIzj0EAwIw
GTEXMBUGA1UEAwwOZGV2aWNlLmV4YW1wbGUwIBcNMjYxMTIxMjIyNDM2WhgPMjEy
NjEwMjgyMjI0MzZaMBkxFzAVBgNVBAMMDmRldmljZS5leGFtcGxlMFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAE4LLvm9iiQ8LYO8XqnZKHsEfoTSLO1dM2QZwwUATx
OtzpI+mfjO9eWV7EmOGVqg7h4Oi6zGDkPGx5I3s/dX+r1aNTMFEwHQYDVR0OBBYE
FBxs/p83pOTFP07q3fwhtJPguiy8MB8GA1UdIwQYMBaAFBxs/p83pOTFP07q3fwh
tJPguiy8MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIgOuVSIYmR
vwbzSOUCbw9k3ijE5oc3r7Ma6MdMHVTGkRMCIQDwNXLn416/zXJJP9HcXqzhdeEp
/TLeRDI3H6VLs3PSDw==
-----END CERTIFICATE-----`;

const OTHER_PEM = `-----BEGIN CERTIFICATE-----
MIIBhzCCAS2gAwIBAgIUDg+IjGHHYtcZ9uBaW61jZUuWENQwCgYIKoZIzj0EAwIw
GDEWMBQGA1UEAwwNb3RoZXIuZXhhbXBsZTAgFw0yNjExMjEyMjI0MzZaGA8yMTI2
MTAyODIyMjQzNlowGDEWMBQGA1UEAwwNb3RoZXIuZXhhbXBsZTBZMBMGByqGSM49
AgEGCCqGSM49AwEHA0IABAlUdl6bzvOOUW2YB9qlBwKJ6M6hvCLeCm7iTYBNZrJg
LLCMD6+bFUTEDRCLv2PbpqU8y7T6ZpySXn+f+gOC9pujUzBRMB0GA1UdDgQWBBSn
pGWfvJqSnkBlwns3APzZ6H5yWDAfBgNVHSMEGDAWgBSnpGWfvJqSnkBlwns3APzZ
6H5yWDAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIFuntwe5qBD1
8CeH9djCqEJWyRVccTbbGGb3IjIsZp99AiEAp9P8RVGrEnaNeIMLKbeRfBsRfHYN
sYhpS2bi0Muu+LE=
-----END CERTIFICATE-----`;

export const device = described(DEVICE_PEM);
export const other = described(OTHER_PEM);

/** `request.cf` of a connection with this certificate; `change` is laid over what the platform says of it. */
export const over = (certificate, change = {}) => ({
  tlsClientAuth: {
    certPresented: "1",
    certVerified: "SUCCESS",
    certRevoked: "0",
    certFingerprintSHA256: certificate.fingerprint,
    ...change,
  },
});

/** `request.cf` of a connection without one. */
export const bare = { tlsClientAuth: { certPresented: "0", certVerified: "NONE", certRevoked: "0" } };

/**
 * - `fingerprint`: the SHA-256 of its DER form in hex, as the platform and a policy write it.
 * - `thumbprint`: the same in base64url, as a token writes it (RFC 8705 §3.1).
 * - `header`: the certificate as the provider of the tests takes it. - `field`: as RFC 9440 writes it.
 */
function described(pem) {
  const { raw } = new X509Certificate(pem);
  const hash = createHash("sha256").update(raw);
  const header = raw.toString("base64");
  return {
    fingerprint: hash.copy().digest("hex"),
    thumbprint: hash.copy().digest("base64url"),
    header,
    field: `:${header}:`,
  };
}
