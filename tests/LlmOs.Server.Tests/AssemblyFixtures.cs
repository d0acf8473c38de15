using LlmOs.Server.Tests.OpenAi;
using LlmOs.Server.Tests.Pipelines;
using LlmOs.Testing;

[assembly: AssemblyFixture(typeof(PostgresServer))]

// One server with the defaults, for tests that leave nothing behind that others see.
[assembly: AssemblyFixture(typeof(ServerProcess))]

// And two with models of the shared folder, each started with the first test that asks for it.
[assembly: AssemblyFixture(typeof(ModelServer))]
[assembly: AssemblyFixture(typeof(TinyModelServer))]
