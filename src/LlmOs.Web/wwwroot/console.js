// The little that a page cannot do from the server: remember how it looks, and come back after a lost connection.
(() => {
  const year = 60 * 60 * 24 * 365;
  const keep = (name, value) => { document.cookie = `${name}=${value}; path=/; max-age=${year}; samesite=strict`; };

  // A page that came over plain HTTP from another machine has no clipboard; then a field is filled, selected and copied.
  const copy = async text => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const field = document.createElement("textarea");
      field.value = text;
      field.className = "unseen";
      document.body.append(field);
      field.select();
      const done = document.execCommand("copy");
      field.remove();
      return done;
    }
  };

  window.llmosConsole = {
    theme: value => { keep("llmos_theme", value); document.body.className = value; },
    language: value => { keep("llmos_language", value); location.reload(); },
    copy,
  };

  // A server that was started anew does not know the page any more: load it again. The event does not bubble, so it is caught on its way down.
  document.addEventListener("components-reconnect-state-changed", event => {
    if (event.detail?.state === "rejected") {
      location.reload();
    }
  }, true);
})();
