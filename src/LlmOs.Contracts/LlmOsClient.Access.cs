namespace LlmOs.Contracts;

/// <content>Keys and users.</content>
public sealed partial class LlmOsClient
{
    /// <summary>Makes a key; the answer is the only place where it can be read.</summary>
    public Task<CreatedKey> CreateKeyAsync(CreateKeyRequest request, CancellationToken cancel) =>
        SendAsync<CreatedKey>(HttpMethod.Post, "api/v1/keys", request, cancel);

    public Task<Page<KeyView>> ListKeysAsync(string? after, CancellationToken cancel) =>
        GetAsync<Page<KeyView>>("api/v1/keys" + Query(("after", after)), cancel);

    public async Task RevokeKeyAsync(string id, CancellationToken cancel)
    {
        using var response = await SendAsync(HttpMethod.Delete, $"api/v1/keys/{Uri.EscapeDataString(id)}", null, cancel);
    }

    public Task<UserView> CreateUserAsync(CreateUserRequest request, CancellationToken cancel) =>
        SendAsync<UserView>(HttpMethod.Post, "api/v1/users", request, cancel);

    public Task<Page<UserView>> ListUsersAsync(string? after, CancellationToken cancel) =>
        GetAsync<Page<UserView>>("api/v1/users" + Query(("after", after)), cancel);

    /// <summary>Sets what is not null; the user's sessions end.</summary>
    public Task<UserView> ChangeUserAsync(string name, ChangeUserRequest request, CancellationToken cancel) =>
        SendAsync<UserView>(HttpMethod.Patch, $"api/v1/users/{Uri.EscapeDataString(name)}", request, cancel);

    /// <param name="revokeKeys">Whether the keys go too that the user made.</param>
    public async Task DeleteUserAsync(string name, bool revokeKeys, CancellationToken cancel)
    {
        using var response = await SendAsync(HttpMethod.Delete, $"api/v1/users/{Uri.EscapeDataString(name)}" + (revokeKeys ? "?revoke_keys=true" : ""), null, cancel);
    }

    /// <summary>Changes the password of the user who is signed in; their sessions end, this one too.</summary>
    public async Task ChangePasswordAsync(ChangePasswordRequest request, CancellationToken cancel)
    {
        using var response = await SendAsync(HttpMethod.Post, "api/v1/users/me/password", request, cancel);
    }
}
