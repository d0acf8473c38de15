using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Compute;
using LlmOs.Infrastructure.Jobs;
using LlmOs.JobHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

// A host that does nothing but run jobs of one short kind: the platform's own job loop in a process that a test may kill
// and stop as it likes. Settings are the server's (LLMOS_DATA, LLMOS_DATABASE, Jobs__...).
var builder = Host.CreateApplicationBuilder(args);
builder.Services.AddInfrastructure(LlmOsSettings.From(builder.Configuration));
builder.Services.AddJobKind<TallyKind>();
using var host = builder.Build();
Console.WriteLine($"node {host.Services.GetRequiredService<NodeIdentity>().Id}");
await host.RunAsync();
