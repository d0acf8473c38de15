namespace LlmOs.Apps.Studio;

/// <summary>Style and script of the pages of apps, the same for all, so that a content policy can name them by their hashes.</summary>
internal static class AppPageAssets
{
    // Line ends are part of what the policy hashes; the browser sees the document with \n whatever the source was checked out with.
    public static readonly string Style = Lines(
        """

        :root { color-scheme: light dark; font-family: system-ui, sans-serif; line-height: 1.5; }
        body { margin: 0; }
        main { max-width: 42rem; margin: 0 auto; padding: 1.5rem; }
        label { display: block; margin-top: 1rem; font-weight: 600; }
        input, textarea, select { box-sizing: border-box; width: 100%; padding: .5rem; font: inherit; }
        button { margin-top: 1rem; padding: .5rem 1.25rem; font: inherit; }
        .help { margin: .25rem 0 0; font-size: .9rem; opacity: .8; }
        #output { min-height: 6rem; padding: 1rem; border: 1px solid; border-radius: .25rem; white-space: pre-wrap; overflow-wrap: anywhere; }
        #problem { font-weight: 600; color: light-dark(#a40000, #ff9c9c); }

        """);

    public static readonly string Script = Lines(
        """

        'use strict';
        const form = document.getElementById('form'), out = document.getElementById('output');
        const problem = document.getElementById('problem'), go = document.getElementById('go'), stop = document.getElementById('stop');
        let running = null;
        stop.addEventListener('click', () => running?.abort());
        form.addEventListener('submit', async event => {
          event.preventDefault();
          out.textContent = ''; problem.textContent = '';
          const inputs = {};
          for (const field of form.querySelectorAll('[data-type]'))
            inputs[field.name] = field.dataset.type === 'number' ? Number(field.value) : field.value;
          running = new AbortController(); go.disabled = true; stop.hidden = false;
          try {
            const answer = await fetch(form.dataset.invoke, {
              method: 'POST', signal: running.signal, credentials: 'omit',
              headers: { 'Content-Type': 'application/json', 'Authorization': 'Bearer ' + document.getElementById('key').value },
              body: JSON.stringify({ inputs, stream: true }),
            });
            if (!answer.ok) {
              const refusal = await answer.json().catch(() => ({}));
              throw new Error(answer.status === 401 ? form.dataset.wrongKey : refusal.detail ?? form.dataset.answered.replace('{0}', answer.status));
            }
            await read(answer.body.pipeThrough(new TextDecoderStream()).getReader());
          } catch (fault) {
            if (fault.name !== 'AbortError') problem.textContent = fault.message;
          } finally {
            go.disabled = false; stop.hidden = true;
          }
        });
        async function read(reader) {
          let rest = '';
          for (;;) {
            const { value, done } = await reader.read();
            if (done) return;
            const events = (rest + value).split('\n\n');
            rest = events.pop();
            for (const text of events) {
              const data = text.split('\n').filter(line => line.startsWith('data: ')).map(line => line.slice(6)).join('\n');
              if (data === '[DONE]') return;
              if (!data) continue;
              const item = JSON.parse(data);
              if (text.startsWith('event: error')) throw new Error(item.error?.message ?? form.dataset.brokenOff);
              out.append(item.delta?.[form.dataset.output] ?? '');
            }
          }
        }

        """);

    private static string Lines(string text) => text.ReplaceLineEndings("\n");
}
