using LlmOs.Testing;

[assembly: AssemblyFixture(typeof(PostgresServer))]

// One server with the defaults, for tests that leave nothing behind that others see.
[assembly: AssemblyFixture(typeof(ServerProcess))]
