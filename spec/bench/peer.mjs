// Pauses by the JavaScript SDK: peer.mjs FOLDER N URL [CONCURRENCY] prints the microseconds that one took, of the clock
// and of the processor. FOLDER has the SDK in its node_modules; WARM_UP in the environment is how many go before.
import {createRequire} from "node:module";
import path from "node:path";

const [folder, n, endpoint, concurrency = "1"] = process.argv.slice(2);
const sdk = createRequire(path.resolve(folder, "start.js"))("@aws-sdk/client-apprunner");
const ServiceArn =
  "arn:aws:apprunner:us-east-1:123456789012:service/python-app/8fe1e10304f84fd2b0df550fe98a71fa";

const maxSockets = Number(concurrency);
const requestHandler = {httpAgent: {keepAlive: true, maxSockets}, httpsAgent: {keepAlive: true, maxSockets}};
const client = new sdk.AppRunnerClient({endpoint, requestHandler});

async function pauseAll(count) {
  let left = count;
  async function one() {
    while (left-- > 0) await client.send(new sdk.PauseServiceCommand({ServiceArn}));
  }
  await Promise.all(Array.from({length: maxSockets}, one));
}

await pauseAll(Number(process.env.WARM_UP ?? 0));
const clock = process.hrtime.bigint();
const processor = process.cpuUsage();
await pauseAll(Number(n));
const took = Number(process.hrtime.bigint() - clock) / 1000;
const used = process.cpuUsage(processor);
console.log((took / n).toFixed(4), ((used.user + used.system) / n).toFixed(4));
