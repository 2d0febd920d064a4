// Serves many specifications from one process: node serve.cjs SPEC... prints the ports in their order, then serves.
const { createLogger } = require("@stoplight/prism-core");
const { getHttpOperationsFromSpec } = require("@stoplight/prism-http");
const { createServer } = require("@stoplight/prism-http-server");

async function serve(spec) {
  const operations = await getHttpOperationsFromSpec(spec);
  const config = {
    isProxy: false, validateRequest: true, validateResponse: true, checkSecurity: true, errors: false,
    upstreamProxy: undefined, mock: { dynamic: false },
  };
  const components = { logger: createLogger("prism", { level: "silent" }) };
  const address = await createServer(operations, { cors: false, config, components }).listen(0, "127.0.0.1");
  return new URL(address).port;
}

(async () => {
  const ports = [];
  for (const spec of process.argv.slice(2)) ports.push(await serve(spec));
  console.log(JSON.stringify(ports.map(Number)));
})();
