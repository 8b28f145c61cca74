// The provider's login and consent pages, as plain forms: whoever says who they are is believed.
import { text } from "node:stream/consumers";

/**
 * Answers `/interaction/ID`: GET tells which form it is (`login` or `consent`), POST fills it in.
 * A login form takes `account`, `acr` and how many seconds ago (`ago_s`) that was; consent is given by posting.
 */
export async function answerInteraction(provider, request, response) {
  try {
    const details = await provider.interactionDetails(request, response);
    if (request.method === "GET") return void response.end(details.prompt.name);
    const form = new URLSearchParams(await text(request));
    const result = details.prompt.name === "login" ? loggedIn(form) : await consented(provider, details);
    await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
  } catch (error) {
    response.writeHead(500).end(String(error));
  }
}

function loggedIn(form) {
  const ts = Math.floor(Date.now() / 1_000) - Number(form.get("ago_s"));
  return { login: { accountId: form.get("account"), acr: form.get("acr"), ts } };
}

async function consented(provider, { grantId, session, params, prompt }) {
  const { missingOIDCScope, missingOIDCClaims, missingResourceScopes } = prompt.details;
  const grant = grantId
    ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  if (missingOIDCScope) grant.addOIDCScope(missingOIDCScope.join(" "));
  if (missingOIDCClaims) grant.addOIDCClaims(missingOIDCClaims);
  for (const [resource, scopes] of Object.entries(missingResourceScopes ?? {})) {
    grant.addResourceScope(resource, scopes.join(" "));
  }
  return { consent: { grantId: await grant.save() } };
}
