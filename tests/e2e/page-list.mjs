// JOB, RUNS, APP and LOGIN stand for pages whose addresses only a running world knows.
/** Every page of the console, and those outside of it. */
export const pages = ["/", "/console/models", "/console/models/starter", "/console/running", "/console/playground", "/console/jobs", "JOB", "RUNS", "/console/nodes", "/console/users", "/console/keys", "/console/usage", "/console/account", "/console/data", "/console/train", "/console/evaluate", "/console/apps", "APP", "LOGIN"];
