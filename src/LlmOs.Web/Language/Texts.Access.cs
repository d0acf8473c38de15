namespace LlmOs.Web.Language;

/// <content>The words of users and their rights.</content>
public sealed partial record Texts
{
    public required string UserName { get; init; }

    public required string Password { get; init; }

    public required string OrWithKey { get; init; }

    public required string UserRefused { get; init; }

    public required string Users { get; init; }

    public required string NoUsersYet { get; init; }

    public required string AddUser { get; init; }

    public required string ChangeUser { get; init; }

    public required string DeleteUser { get; init; }

    public required string RevokeKeysHelp { get; init; }

    public required string NameOfUserHelp { get; init; }

    public required string NewPassword { get; init; }

    public required string NewPasswordHelp { get; init; }

    public required string KeepPasswordHelp { get; init; }

    public required string Rights { get; init; }

    public required string RightRead { get; init; }

    public required string RightInference { get; init; }

    public required string RightAdmin { get; init; }

    public required string LastSignIn { get; init; }

    public required string Never { get; init; }

    public required string UserActive { get; init; }

    public required string UserDisabled { get; init; }

    public required string DisabledHelp { get; init; }

    public required string Change { get; init; }

    public required string Save { get; init; }

    public required string Account { get; init; }

    public required string ChangePassword { get; init; }

    public required string CurrentPassword { get; init; }

    public required string SessionsEndHelp { get; init; }

    public required string KeyHasNoPassword { get; init; }

    /// <summary>What a scope allows, in words.</summary>
    public string Right(string scope) => scope switch
    {
        "read" => RightRead,
        "inference" => RightInference,
        "admin" => RightAdmin,
        _ => scope,
    };
}
