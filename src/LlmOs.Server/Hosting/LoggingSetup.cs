using System.Text.RegularExpressions;
using LlmOs.Infrastructure;
using Serilog;
using Serilog.Events;
using Serilog.Formatting;
using Serilog.Formatting.Compact;

namespace LlmOs.Server.Hosting;

/// <summary>One JSON line an event, on standard output.</summary>
internal static class LoggingSetup
{
    public static void UseLogging(this WebApplicationBuilder builder, LlmOsSettings settings)
    {
        builder.Services.AddSerilog(log => log
            .MinimumLevel.Information()
            .MinimumLevel.Override("Microsoft", LogEventLevel.Warning)
            .MinimumLevel.Override("Microsoft.AspNetCore.DataProtection", LogEventLevel.Error) // it warns that keys lie in a folder, which is meant
            .MinimumLevel.Override("System.Net.Http", LogEventLevel.Warning)
            .ReadFrom.Configuration(builder.Configuration)
            .Enrich.FromLogContext()
            .WriteTo.Console(new RedactingFormatter(new CompactJsonFormatter(), settings.AdminKey)));
    }
}

/// <summary>
/// The last protection of keys: no code logs one, but if some does, the key is cut out of the finished line, wherever it
/// stands (message, property, exception).
/// </summary>
internal sealed partial class RedactingFormatter(ITextFormatter inner, string? secret) : ITextFormatter
{
    public void Format(LogEvent logEvent, TextWriter output)
    {
        using var line = new StringWriter();
        inner.Format(logEvent, line);
        var text = Key().Replace(line.ToString(), "llmos_sk_(redacted)");
        output.Write(secret is null ? text : text.Replace(secret, "(redacted)", StringComparison.Ordinal));
    }

    [GeneratedRegex("llmos_sk_[A-Za-z0-9_-]+")]
    private static partial Regex Key();
}
