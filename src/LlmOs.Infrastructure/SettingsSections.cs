using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace LlmOs.Infrastructure;

/// <summary>Sections of the configuration: bound, and checked when the server starts.</summary>
public static class SettingsSections
{
    /// <summary>Binds a section; a value out of its bounds, or a key under a name that it no longer has, ends the start with exit code 2.</summary>
    /// <param name="renamed">Keys that had another name before, so that nobody's setting is lost in silence.</param>
    public static IServiceCollection AddSection<T>(this IServiceCollection services, string section, params (string Old, string New)[] renamed)
        where T : class
    {
        services.AddOptions<T>().BindConfiguration(section).ValidateDataAnnotations().ValidateOnStart();
        return services.AddSingleton<IValidateOptions<T>>(provider => new RenamedKeys<T>(provider.GetRequiredService<IConfiguration>(), section, renamed));
    }

    private sealed class RenamedKeys<T>(IConfiguration configuration, string section, IReadOnlyList<(string Old, string New)> renamed) : IValidateOptions<T>
        where T : class
    {
        public ValidateOptionsResult Validate(string? name, T options)
        {
            var stated = renamed.Where(key => configuration[$"{section}:{key.Old}"] is not null)
                .Select(key => $"{section}:{key.Old} has another name now; set {section}:{key.New} instead.")
                .ToList();
            return stated.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(stated);
        }
    }
}
