using LlmOs.Testing;

[assembly: AssemblyFixture(typeof(PostgresServer))]
