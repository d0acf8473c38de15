// Makes tests/LlmOs.Formats.Tests/Tokenizers/Golden/components.jsonl.gz: what the Rust library of Hugging Face answers for
// small tokenizers that use one component of the format each. Usage, in a folder with `npm i tokenizers@0.23.2`:
//   node component-vectors.mjs | gzip -n -9 > components.jsonl.gz
import { createRequire } from 'node:module';
import { join } from 'node:path';
const require = createRequire(join(process.cwd(), 'x.js'));
const { Tokenizer } = require('tokenizers');

// GPT-2's printable stand-ins for bytes.
const alphabet = [];
for (let b = 0, n = 256; b < 256; b++) {
  const printable = (b >= 33 && b <= 126) || (b >= 0xa1 && b <= 0xac) || (b >= 0xae);
  alphabet.push(String.fromCodePoint(printable ? b : n++));
}

// Every byte is a token, and with "#" before it one that continues a piece: ids show the text and the cuts.
function bytesModel(extra = {}) {
  const vocab = {};
  alphabet.forEach((c, i) => { vocab[c] = i; });
  alphabet.forEach((c, i) => { vocab['##' + c] = 256 + i; });
  return { type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: '##', end_of_word_suffix: null, fuse_unk: false, byte_fallback: false, ignore_merges: false, vocab, merges: [], ...extra };
}
const spell = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false };
const base = { version: '1.0', truncation: null, padding: null, added_tokens: [], normalizer: null, pre_tokenizer: spell, post_processor: null, decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false }, model: bytesModel() };
const normal = (normalizer) => ({ ...base, normalizer });
const cut = (pre) => ({ ...base, pre_tokenizer: { type: 'Sequence', pretokenizers: [pre, spell] } });

const texts = [
  '', ' ', '  ', '\n', 'Hello, World!', '  two  spaces  ', 'tab\tand\nline\r\n', "don't I'LL we'Ve", 'ÀÉÎ naïve Straße İstanbul ǅ',
  'e\u0301 o\u0308\u0323 \u1e9b\u0323 \ufb01 \u2460 \uff21', '中文字符 日本語カタカナひらがな 한국어 \u1112\u1161\u11ab', '12 3456 ½ ² ٣٤ Ⅷ', 'a_b-c.d/e\\f (g) [h] {i} <j>',
  '👩‍👩‍👧‍👦 👍🏽 🇩🇪 🦙', 'x\u0000y\u0007z\u007f\u00ad\u200b\u200d\ufeff', '\u00a0nbsp\u2003em\u3000wide', 'ไทยภาษา हिन्दी عربي עברית', '…“quotes”—dashes–', 'a  b   c    d', 'ends with space ',
  'ᄀᄁ ㄱ ﷺ ﾊﾟ', 'ＡＢＣ１２３', '𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝟘𝟙 𐐷', '<x> a<x>b<x>', '$1,234.56 = 50%', '\u2581under\u2581score', 'UPPER lower MiXeD camelCaseWord HTTPServer2',
];

const cases = {};
// Normalisers.
for (const type of ['NFC', 'NFD', 'NFKC', 'NFKD', 'Lowercase', 'StripAccents', 'Nmt', 'ByteLevel']) cases['normalizer ' + type] = normal({ type });
cases['normalizer ByteLevel'] = { ...normal({ type: 'ByteLevel' }), pre_tokenizer: null };
cases['normalizer NFD and StripAccents'] = normal({ type: 'Sequence', normalizers: [{ type: 'NFD' }, { type: 'StripAccents' }, { type: 'Lowercase' }] });
cases['normalizer Strip'] = normal({ type: 'Strip', strip_left: true, strip_right: true });
cases['normalizer Strip left'] = normal({ type: 'Strip', strip_left: true, strip_right: false });
cases['normalizer Prepend'] = normal({ type: 'Prepend', prepend: '▁' });
cases['normalizer Replace text'] = normal({ type: 'Replace', pattern: { String: 'a' }, content: 'bb' });
cases['normalizer Replace expression'] = normal({ type: 'Replace', pattern: { Regex: '\\s+' }, content: ' ' });
for (const [clean_text, handle_chinese_chars, strip_accents, lowercase] of [[true, true, null, true], [true, true, null, false], [false, false, true, false], [true, false, false, true]]) {
  cases[`normalizer BertNormalizer ${[clean_text, handle_chinese_chars, strip_accents, lowercase]}`] = normal({ type: 'BertNormalizer', clean_text, handle_chinese_chars, strip_accents, lowercase });
}
// Pre-tokenizers.
for (const type of ['Whitespace', 'WhitespaceSplit', 'BertPreTokenizer', 'UnicodeScripts']) cases['pre_tokenizer ' + type] = cut({ type });
cases['pre_tokenizer CharDelimiterSplit'] = cut({ type: 'CharDelimiterSplit', delimiter: 'a' });
cases['pre_tokenizer FixedLength'] = cut({ type: 'FixedLength', length: 3 });
for (const individual_digits of [true, false]) cases[`pre_tokenizer Digits ${individual_digits}`] = cut({ type: 'Digits', individual_digits });
const behaviors = ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'];
for (const behavior of behaviors) {
  cases[`pre_tokenizer Punctuation ${behavior}`] = cut({ type: 'Punctuation', behavior });
  for (const invert of [false, true]) cases[`pre_tokenizer Split ${behavior} ${invert}`] = cut({ type: 'Split', pattern: { Regex: '\\s+|[0-9]' }, behavior, invert });
  cases[`pre_tokenizer Split text ${behavior}`] = cut({ type: 'Split', pattern: { String: ' ' }, behavior, invert: false });
}
for (const add_prefix_space of [true, false]) for (const use_regex of [true, false]) cases[`pre_tokenizer ByteLevel ${add_prefix_space} ${use_regex}`] = { ...base, pre_tokenizer: { type: 'ByteLevel', add_prefix_space, trim_offsets: true, use_regex } };
for (const prepend_scheme of ['always', 'first', 'never']) for (const split of [true, false]) cases[`pre_tokenizer Metaspace ${prepend_scheme} ${split}`] = { ...cut({ type: 'Metaspace', replacement: '▁', prepend_scheme, split }), added_tokens: [added(512, '<x>', { special: true })] };
for (const [name, source] of Object.entries({
  gpt2: "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
  llama3: "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  o200k: "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  tekken: "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  qwen2: "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  deepseek: "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  clip: "<\\|startoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+",
  bloom: " ?[^(\\s|[.,!?…。，、।۔،])]+",
  words: "\\b\\w+\\b|\\W",
  scripts: "\\p{Han}+|\\p{Hiragana}+|[[:upper:]&&[^A-M]]+|\\p{^Lu}",
  lazy: "a.*?b|x{2,3}?|(?<=\\s)\\S(?=\\S)|(?<!\\w)[a-c]++",
})) cases[`pattern ${name}`] = cut({ type: 'Split', pattern: { Regex: source }, behavior: 'Isolated', invert: false });
cases['pattern clip removed'] = cut({ type: 'Split', pattern: { Regex: "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+" }, behavior: 'Removed', invert: true });

// Added tokens and their flags.
function added(id, content, flags = {}) { return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: false, ...flags }; }
const addedTexts = ['<x>', ' <x> ', 'a<x>b', 'a <x> b', '<x><x>', ' <X> ', 'word', 'words word sword', 'wordword', '_word_', 'ÉT été', 'a  <x>  \n b', '<x>word<x>', 'WORD Word'];
for (const flags of [{}, { special: true }, { lstrip: true }, { rstrip: true }, { lstrip: true, rstrip: true }, { single_word: true }, { normalized: true }, { normalized: true, single_word: true }, { normalized: true, lstrip: true, rstrip: true }]) {
  cases[`added_tokens ${JSON.stringify(flags)}`] = { ...normal({ type: 'Sequence', normalizers: [{ type: 'NFD' }, { type: 'StripAccents' }, { type: 'Lowercase' }] }), added_tokens: [added(512, '<x>', flags), added(513, 'word', flags), added(514, 'été', flags)], texts: addedTexts };
}
cases['added_tokens overlap'] = { ...base, added_tokens: [added(512, 'ab', {}), added(513, 'abc', {}), added(514, 'bcd', { special: true }), added(99, 'c', { normalized: true }), added(515, ' ', { lstrip: true })], texts: ['abcd', 'xabcbcdx', 'ab c', 'cabab', 'a b c', 'bcdabc'] };

// Models.
const wp = { version: '1.0', truncation: null, padding: null, added_tokens: [added(0, '[UNK]', { special: true })], normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true }, pre_tokenizer: { type: 'BertPreTokenizer' }, post_processor: null, decoder: { type: 'WordPiece', prefix: '##', cleanup: true }, model: { type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: '##', max_input_chars_per_word: 12, vocab: { '[UNK]': 0, hello: 1, '##s': 2, wor: 3, '##ld': 4, w: 5, '##o': 6, '##r': 7, '##l': 8, '##d': 9, ',': 10, '!': 11, a: 12, '##a': 13, don: 14, "'": 15, t: 16, '.': 17, '中': 18, i: 19, "##'": 20 } } };
const wpTexts = ['hello world', 'Hello, worlds!', 'helloworld', 'aaaaaaaaaaaaa', 'aaaaaaaaaaaa', "don't.", 'w wo wor worl world', '中中a', 'xyz hello', 'hello . world ! a', "i ' a"];
cases['model WordPiece'] = { ...wp, texts: wpTexts };
cases['decoder WordPiece without cleanup'] = { ...wp, decoder: { type: 'WordPiece', prefix: '##', cleanup: false }, texts: wpTexts };
cases['model WordLevel'] = { ...wp, decoder: null, model: { type: 'WordLevel', unk_token: '[UNK]', vocab: { '[UNK]': 0, hello: 1, world: 2, ',': 3, a: 4 } }, texts: wpTexts };

const letters = {}; ['<unk>', '<s>', 'a', 'b', 'c', 'ab', 'abc', 'bc', '▁', '▁a', '▁ab', 'aa', 'aaa', 'aaaa'].forEach((t, i) => { letters[t] = i; });
const bpeTexts = ['', 'a', 'ab', 'abc', 'abcabc', 'aaaaaaa', 'a b c', 'xyz', 'axxb', 'éa', '  ab', 'abx abc', '🦙a', 'aaaa bc'];
const merges = [['a', 'b'], ['ab', 'c'], ['b', 'c'], ['▁', 'a'], ['▁a', 'b'], ['a', 'a'], ['aa', 'a'], ['aa', 'aa']];
const bpe = (model, rest = {}) => ({ version: '1.0', truncation: null, padding: null, added_tokens: [], normalizer: { type: 'Replace', pattern: { String: ' ' }, content: '▁' }, pre_tokenizer: null, post_processor: null, decoder: { type: 'Sequence', decoders: [{ type: 'Replace', pattern: { String: '▁' }, content: ' ' }, { type: 'ByteFallback' }, { type: 'Fuse' }, { type: 'Strip', content: ' ', start: 1, stop: 0 }] }, model: { type: 'BPE', dropout: null, unk_token: '<unk>', continuing_subword_prefix: null, end_of_word_suffix: null, fuse_unk: false, byte_fallback: false, ignore_merges: false, vocab: letters, merges, ...model }, texts: bpeTexts, ...rest });
cases['model BPE'] = bpe({});
cases['model BPE merges as texts'] = bpe({ merges: merges.map((m) => m.join(' ')) });
cases['model BPE merges with the line of a merges.txt'] = bpe({ merges: ['#version: 0.2', ...merges.map((m) => m.join(' '))] });
cases['model BPE fuse_unk'] = bpe({ fuse_unk: true });
cases['model BPE without unk'] = bpe({ unk_token: null });
cases['model BPE ignore_merges'] = bpe({ ignore_merges: true, merges: [['a', 'b']] });
const bytes = { ...letters }; for (let b = 0; b < 256; b++) bytes[`<0x${b.toString(16).toUpperCase().padStart(2, '0')}>`] = 20 + b;
cases['model BPE byte_fallback'] = bpe({ byte_fallback: true, vocab: bytes });
const few = { ...letters, '<0xC3>': 20, '<0xA9>': 21 };
cases['model BPE byte_fallback with few bytes'] = bpe({ byte_fallback: true, fuse_unk: true, vocab: few });
const suffixed = {}; ['<unk>', 'a', 'b', 'a</w>', 'b</w>', 'ab</w>', 'ab', 'c</w>', 'c', 'abc</w>'].forEach((t, i) => { suffixed[t] = i; });
cases['model BPE end_of_word_suffix'] = { ...bpe({ end_of_word_suffix: '</w>', vocab: suffixed, merges: [['a', 'b</w>'], ['a', 'b'], ['ab', 'c</w>']] }), normalizer: null, pre_tokenizer: { type: 'WhitespaceSplit' }, decoder: { type: 'BPEDecoder', suffix: '</w>' } };
const prefixed = {}; ['<unk>', 'a', 'b', '##a', '##b', 'ab', '##ab', '##c', 'c', 'abc'].forEach((t, i) => { prefixed[t] = i; });
cases['model BPE continuing_subword_prefix'] = { ...bpe({ continuing_subword_prefix: '##', vocab: prefixed, merges: [['a', '##b'], ['##a', '##b'], ['ab', '##c']] }), normalizer: null, pre_tokenizer: { type: 'WhitespaceSplit' }, decoder: { type: 'WordPiece', prefix: '##', cleanup: false } };

const pieces = [['<unk>', 0], ['▁', -2], ['a', -3], ['b', -3.5], ['c', -4], ['ab', -4.2], ['abc', -6], ['▁a', -3.1], ['▁ab', -3.2], ['aa', -5], ['▁abc', -5.5], ['d', -20]];
const unigram = (model, rest = {}) => ({ ...bpe({}), model: { type: 'Unigram', unk_id: 0, byte_fallback: false, vocab: pieces, ...model }, ...rest });
cases['model Unigram'] = unigram({});
cases['model Unigram byte_fallback'] = unigram({ byte_fallback: true, vocab: [...pieces, ...Array.from({ length: 256 }, (_, b) => [`<0x${b.toString(16).toUpperCase().padStart(2, '0')}>`, -30])] });
cases['model Unigram Metaspace'] = unigram({}, { normalizer: null, pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true }, decoder: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true } });
cases['model Unigram Metaspace never'] = unigram({}, { normalizer: null, pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'never', split: false }, decoder: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'never', split: false } });

// Matches without width put the content between characters. Over plain letters: with bytes behind them the reference panics.
const plain = {}; ' ,.!|abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZÀé🦙'.split(/(?:)/u).forEach((c, i) => { plain[c] = i; });
for (const Regex of ['(?=[A-Z])', '^', '$', '(?<=l)(?=l)', '\\b', 'l*', ' *', ' +|(?=[lo])', '(?=🦙)|(?<=🦙)']) for (const content of ['|', ', ', '']) {
  cases[`normalizer Replace ${Regex} by ${content}`] = bpe({ vocab: plain, merges: [], unk_token: null }, { normalizer: { type: 'Replace', pattern: { Regex }, content }, decoder: { type: 'Fuse' }, texts: ['', ' ', 'a', 'Hello, World!', 'llama Lll  ll', 'Àé 🦙b🦙🦙', '🦙'] });
}

// Decoders.
cases['decoder CTC'] = { ...wp, decoder: { type: 'CTC', pad_token: 'a', word_delimiter_token: 'w', cleanup: true }, texts: wpTexts };
cases['decoder none'] = { ...wp, decoder: null, texts: wpTexts };
cases['decoder Fuse'] = { ...wp, decoder: { type: 'Fuse' }, texts: wpTexts };
cases['decoder Strip'] = { ...wp, decoder: { type: 'Sequence', decoders: [{ type: 'Fuse' }, { type: 'Strip', content: 'h', start: 1, stop: 1 }] }, texts: ['hello world', 'w hello', 'a'] };
cases['decoder Replace expression'] = { ...wp, decoder: { type: 'Sequence', decoders: [{ type: 'Replace', pattern: { Regex: '[lo]+' }, content: '_' }, { type: 'Fuse' }] }, texts: wpTexts };

// Post-processors.
const framed = [added(20, '<s>', { special: true }), added(21, '</s>', { special: true })];
const pairs = [['hello world', 'a'], ['hello', ''], ['', 'world'], ['a , a', "don't a"]];
const frame = (post_processor) => ({ ...wp, model: { ...wp.model, vocab: { ...wp.model.vocab, '<s>': 21, '</s>': 22 } }, added_tokens: [added(0, '[UNK]', { special: true }), added(21, '<s>', { special: true }), added(22, '</s>', { special: true })], post_processor, texts: wpTexts, pairs });
cases['post_processor BertProcessing'] = frame({ type: 'BertProcessing', sep: ['</s>', 22], cls: ['<s>', 21] });
cases['post_processor RobertaProcessing'] = frame({ type: 'RobertaProcessing', sep: ['</s>', 22], cls: ['<s>', 21], trim_offsets: true, add_prefix_space: false });
cases['post_processor TemplateProcessing'] = frame({ type: 'TemplateProcessing', single: [{ SpecialToken: { id: 'S', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }], pair: [{ SpecialToken: { id: 'S', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }, { SpecialToken: { id: '</s>', type_id: 1 } }, { Sequence: { id: 'B', type_id: 1 } }, { SpecialToken: { id: '</s>', type_id: 3 } }], special_tokens: { S: { id: 'S', ids: [21, 22], tokens: ['<s>', '</s>'] }, '</s>': { id: '</s>', ids: [22], tokens: ['</s>'] } } });
for (const add_prefix_space of [true, false]) for (const trim_offsets of [true, false]) {
  cases[`post_processor ByteLevel ${add_prefix_space} ${trim_offsets}`] = { ...base, model: bytesModel({ continuing_subword_prefix: null, vocab: { ...Object.fromEntries(alphabet.map((c, i) => [c, i])), 'Ġa': 256, 'ab': 257, 'Ġab': 258, 'ĠĠ': 259, 'ĠĠa': 260 }, merges: [['Ġ', 'a'], ['a', 'b'], ['Ġa', 'b'], ['Ġ', 'Ġ'], ['ĠĠ', 'a']] }), pre_tokenizer: { type: 'ByteLevel', add_prefix_space, trim_offsets, use_regex: true }, post_processor: { type: 'ByteLevel', add_prefix_space, trim_offsets, use_regex: true }, texts: ['ab', ' ab', '  ab', 'ab  ab ', 'é ab', '\nab'] };
}
cases['post_processor Sequence'] = frame({ type: 'Sequence', processors: [{ type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true }, { type: 'BertProcessing', sep: ['</s>', 22], cls: ['<s>', 21] }] });

// Code points to UTF-16 units, which is how .NET counts.
function units(text) { const at = [0]; for (const c of text) at.push(at[at.length - 1] + c.length); return at; }
async function row(t, text, pair) {
  const plain = await t.encode(text, pair ?? null, { addSpecialTokens: false });
  const special = await t.encode(text, pair ?? null, { addSpecialTokens: true });
  const sequences = special.getIds().map((_, i) => special.tokenToSequence(i));
  const where = [units(text), units(pair ?? '')];
  const offsets = special.getOffsets().map(([s, e], i) => { const u = where[sequences[i] ?? 0]; return [u[s] ?? -1, u[e] ?? -1]; });
  return {
    text, ...(pair !== undefined && { pair }), ids: plain.getIds(), ids_with_special: special.getIds(), offsets, type_ids: special.getTypeIds(), words: special.getWordIds().map((w) => w ?? -1),
    decoded: await t.decode(plain.getIds(), false), decoded_skip_special: await t.decode(special.getIds(), true),
  };
}
console.log(JSON.stringify({ name: 'bytes', model: base.model }));
for (const [name, { texts: own, pairs: two, ...tokenizer }] of Object.entries(cases)) {
  const t = Tokenizer.fromString(JSON.stringify(tokenizer));
  const rows = [];
  for (const text of own ?? texts) rows.push(await row(t, text));
  for (const [a, b] of two ?? []) rows.push(await row(t, a, b));
  // The model that most have in common stands in the first line.
  const short = tokenizer.model === base.model ? { ...tokenizer, model: 'bytes' } : tokenizer;
  console.log(JSON.stringify({ name, tokenizer: short, rows }));
}
