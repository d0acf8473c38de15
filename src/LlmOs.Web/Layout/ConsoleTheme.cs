using MudBlazor;

namespace LlmOs.Web.Layout;

/// <summary>Colours and type. Every pair of text and ground has a contrast of at least 4.5 in both themes (checked by axe in tests/e2e).</summary>
internal static class ConsoleTheme
{
    /// <summary>The system's own fonts: nothing is fetched.</summary>
    private static readonly string[] Fonts = ["system-ui", "-apple-system", "Segoe UI", "Noto Sans", "Noto Sans CJK SC", "DejaVu Sans", "sans-serif"];

    public static MudTheme Theme { get; } = new()
    {
        PaletteLight = new PaletteLight
        {
            Primary = "#1f4fd8",
            Secondary = "#5b3fa8",
            Info = "#0b5f95",
            Success = "#1a6b38",
            Warning = "#8a5000",
            Error = "#a8201a",
            Background = "#f5f6f8",
            AppbarBackground = "#16213d",
            AppbarText = "#ffffff",
            DrawerBackground = "#ffffff",
            DrawerText = "#23262d",
            DrawerIcon = "#4a5060",
            TextPrimary = "#16181d",
            TextSecondary = "#4f5563",
            ActionDefault = "#4a5060",
        },
        PaletteDark = new PaletteDark
        {
            Primary = "#8fb2ff",
            PrimaryContrastText = "#0b1220",
            Secondary = "#c3b0ff",
            SecondaryContrastText = "#0b1220",
            Info = "#7cc4f5",
            InfoContrastText = "#0b1220",
            Success = "#7fd39a",
            SuccessContrastText = "#0b1220",
            Warning = "#f2b866",
            WarningContrastText = "#0b1220",
            Error = "#ff9d94",
            ErrorContrastText = "#0b1220",
            Background = "#14161a",
            Surface = "#1d2026",
            AppbarBackground = "#10131a",
            AppbarText = "#e8eaee",
            DrawerBackground = "#1a1d23",
            DrawerText = "#e2e5ea",
            DrawerIcon = "#b4bac6",
            TextPrimary = "#e8eaee",
            TextSecondary = "#b4bac6",
            ActionDefault = "#b4bac6",
        },
        Typography = new Typography { Default = new DefaultTypography { FontFamily = Fonts } },
    };
}
