using Microsoft.Extensions.Configuration;

namespace LlmOs.Infrastructure.Tests;

public class LlmOsSettingsTests
{
    [Fact]
    public void Nothing_stated_gives_a_laptop_s_settings()
    {
        var settings = From();

        Assert.EndsWith(".llmos", settings.Data, StringComparison.Ordinal);
        Assert.Null(settings.Database);
        Assert.False(settings.AuthOff);
        Assert.Equal(HostRoles.All, settings.Roles);
        Assert.Equal(ClusterMode.Off, settings.Cluster);
        Assert.Equal(DeviceChoice.Auto, settings.Device);
        Assert.Equal([Path.Combine(settings.Data, "import")], settings.ImportDirs);
        Assert.Contains("huggingface.co", settings.Egress);
    }

    [Fact]
    public void The_environment_wins_over_the_file()
    {
        var settings = From(("LLMOS_DATA", "/from/environment"), ("LlmOs:Data", "/from/file"), ("LlmOs:Device", "cpu"));

        Assert.Equal("/from/environment", settings.Data);
        Assert.Equal(DeviceChoice.Cpu, settings.Device);
    }

    [Fact]
    public void Lists_and_roles_are_read_word_by_word()
    {
        var settings = From(("LLMOS_IMPORT_DIRS", "/a:/b/../c"), ("LLMOS_ROLES", "api, training"), ("LLMOS_EGRESS", "example.org,*.example.com"));

        Assert.Equal(["/a", "/c"], settings.ImportDirs);
        Assert.Equal(HostRoles.Api | HostRoles.Training, settings.Roles);
        Assert.Equal(["example.org", "*.example.com"], settings.Egress);
    }

    [Fact]
    public void Egress_off_allows_no_host() => Assert.Empty(From(("LLMOS_EGRESS", "off")).Egress);

    [Theory]
    [InlineData("LLMOS_DATABASE", "Server without equals")]
    [InlineData("LLMOS_DATABASE", "Database=llmos")]
    [InlineData("LLMOS_ADMIN_KEY", "too short")]
    [InlineData("LLMOS_ADMIN_KEY", "long enough but with spaces")]
    [InlineData("LLMOS_AUTH", "maybe")]
    [InlineData("LLMOS_ROLES", "api,kitchen")]
    [InlineData("LLMOS_ROLES", ",")]
    [InlineData("LLMOS_ROLES", "7")]
    [InlineData("LLMOS_CLUSTER", "moon")]
    [InlineData("LLMOS_DEVICE", "tpu")]
    [InlineData("LLMOS_EGRESS", "http://example.org/")]
    [InlineData("LLMOS_TRAINER", "/does/not/exist")]
    public void A_bad_value_names_its_setting(string setting, string value)
    {
        var refusal = Assert.Throws<SettingException>(() => From((setting, value)));

        Assert.Equal(setting, refusal.Setting);
        Assert.StartsWith(setting, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_bad_connection_string_is_not_repeated_because_it_may_hold_a_password()
    {
        var refusal = Assert.Throws<SettingException>(() => From(("LLMOS_DATABASE", "Host=db;Pasword=hunter2")));

        Assert.DoesNotContain("hunter2", refusal.ToString(), StringComparison.Ordinal);
    }

    private static LlmOsSettings From(params (string Name, string Value)[] values) => LlmOsSettings.From(
        new ConfigurationBuilder().AddInMemoryCollection(values.Select(v => KeyValuePair.Create(v.Name, (string?)v.Value))).Build());
}
