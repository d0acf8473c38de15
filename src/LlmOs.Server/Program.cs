using LlmOs.Apps;
using LlmOs.Infrastructure;
using LlmOs.Models;
using LlmOs.Tools;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddInfrastructure(LlmOsSettings.From(builder.Configuration)).AddModels().AddTools().AddApps();

var app = builder.Build();
app.MapInfrastructure().MapModels().MapTools().MapApps();
await app.RunAsync();
