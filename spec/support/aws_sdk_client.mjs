// What the JavaScript SDK sees of an App Runner endpoint, as one JSON document on stdout.
//
// Usage: aws_sdk_client.mjs FOLDER ENDPOINT_URL SERVICE_ARN ERRORS
//
// FOLDER has the SDK in its node_modules. Lists services ERRORS times and reports the exceptions, then lists them page
// by page; pauses, describes and resumes the service, lists its operations and tags, and calls with another secret.
// Credentials and region come from the environment.
import {createRequire} from "node:module";
import path from "node:path";

const [folder, endpoint, ServiceArn, errors] = process.argv.slice(2);
const sdk = createRequire(path.resolve(folder, "start.js"))("@aws-sdk/client-apprunner");

const newClient = (more = {}) => new sdk.AppRunnerClient({endpoint, maxAttempts: 1, ...more});
const client = newClient();
const send = (name, params = {}, by = client) => by.send(new sdk[name + "Command"](params));

async function attempt(...call) {
  try {
    return await send(...call);
  } catch (error) {
    const modelled = error instanceof (sdk[error.name] ?? sdk.AppRunnerServiceException);
    return {name: error.name, message: error.message, status: error.$metadata?.httpStatusCode, modelled};
  }
}

async function pagesOf(paginate, list, params, pageSize) {
  const found = {sizes: [], items: []};
  for await (const page of paginate({client, pageSize}, params)) {
    found.sizes.push(page[list].length);
    found.items.push(...page[list]);
  }
  return found;
}

// Asks until the service has the status, for twenty seconds.
async function waitFor(status) {
  const deadline = Date.now() + 20000;
  const seen = [];
  while (Date.now() < deadline && seen.at(-1) !== status) {
    const now = (await send("DescribeService", {ServiceArn})).Service.Status;
    if (seen.at(-1) !== now) seen.push(now);
  }
  return seen;
}

const report = {errors: []};
for (let i = 0; i < Number(errors); i++) report.errors.push(await attempt("ListServices"));
report.services = await pagesOf(sdk.paginateListServices, "ServiceSummaryList", {}, 2);
report.described = await send("DescribeService", {ServiceArn});
report.pause = await attempt("PauseService", {ServiceArn});
report.pausing = await waitFor("PAUSED");
report.pauseAgain = await attempt("PauseService", {ServiceArn});
report.resume = await attempt("ResumeService", {ServiceArn});
report.resuming = await waitFor("RUNNING");
report.operations = await pagesOf(sdk.paginateListOperations, "OperationSummaryList", {ServiceArn}, 1);
report.tags = (await send("ListTagsForResource", {ResourceArn: ServiceArn})).Tags;
const stranger = (accessKeyId) => newClient({credentials: {accessKeyId, secretAccessKey: "other"}});
report.wrongSecret = await attempt("ListServices", {}, stranger("AKIDEXAMPLE"));
report.wrongKey = await attempt("ListServices", {}, stranger("AKIDOTHER"));
console.log(JSON.stringify(report));
