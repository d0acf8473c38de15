using LlmOs.Web.Language;
using Microsoft.AspNetCore.Components;

namespace LlmOs.Web.Layout;

/// <summary>The part of the menu that a page stands in; the platform's tiers, from the machine up.</summary>
public enum MenuPart
{
    Home,
    Infrastructure,
    Models,
    Tools,
    Apps,
}

/// <summary>A line of the menu.</summary>
/// <param name="Order">Within the part, the lowest first.</param>
/// <param name="Title">The page's name in a language.</param>
/// <param name="Scope">Who lacks it does not see the line; null: everybody sees it.</param>
public sealed record MenuEntry(MenuPart Part, int Order, string Icon, Func<Texts, string> Title, string? Scope = null);

/// <summary>A page that stands in the menu. There is no other list of pages.</summary>
public interface IMenuPage
{
    static abstract MenuEntry Menu { get; }
}

/// <summary>All pages of the menu, in its order.</summary>
internal static class MenuPages
{
    public static IReadOnlyList<(string Path, MenuEntry Entry)> All { get; } =
    [
        .. typeof(MenuPages).Assembly.GetTypes()
            .Where(type => type.IsAssignableTo(typeof(IMenuPage)) && !type.IsInterface)
            .Select(type => (Path: PathOf(type), Entry: EntryOf(type)))
            .OrderBy(page => page.Entry.Part)
            .ThenBy(page => page.Entry.Order),
    ];

    private static string PathOf(Type page) =>
        page.GetCustomAttributes(typeof(RouteAttribute), inherit: false).Cast<RouteAttribute>().First().Template;

    private static MenuEntry EntryOf(Type page) => (MenuEntry)page.GetProperty(nameof(IMenuPage.Menu))!.GetValue(null)!;
}
