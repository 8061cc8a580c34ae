// Health check of a container: node check-http.mjs <url>
const response = await fetch(process.argv[2], { signal: AbortSignal.timeout(4_000) });
if (!response.ok) throw new Error(`${response.url} answers ${response.status}`);
