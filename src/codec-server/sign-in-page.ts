/** The one page that the codec server has: here a browser gets the cookie that Temporal's UI then sends along. */
export function signInPage(message: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Onward codec server</title>
<h1>Onward codec server</h1>
<p>${message}</p>
<form method="post" action="/sign-in">
<label>Token <input type="password" name="token" autocomplete="off" required autofocus></label>
<button>Sign in</button>
</form>
</html>
`;
}

/** Nothing but the form is needed, and nobody may frame it. */
export const PAGE_HEADERS = {
  'content-security-policy': "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'cache-control': 'no-store',
};
