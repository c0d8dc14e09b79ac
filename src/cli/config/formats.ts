import { isHost, parseHostPort, parseResolver, parseServerUrl } from './address.ts';

/** Names of the text formats that the schema uses. */
export type FormatName =
  | 'address'
  | 'url'
  | 'path'
  | 'poolName'
  | 'pluginName'
  | 'module'
  | 'modelName'
  | 'hostName'
  | 'resolver'
  | 'labelName'
  | 'labelValue';

/** A kind of text. */
export interface Format {
  /** What is expected, to follow "expected" in a message. */
  readonly description: string;
  /** Regular expression (ECMA-262) for JSON Schema; may accept a little more than `isValid`. */
  readonly pattern: string;
  readonly isValid: (text: string) => boolean;
  /** A corrected spelling of a text that is not valid, or null. */
  readonly correct: (text: string) => string | null;
}

const POOL_NAME = '^[A-Za-z0-9]([A-Za-z0-9._-]{0,126}[A-Za-z0-9])?$';
const MODEL_NAME = '^[^\\s\\u0000-\\u001f\\u007f]{1,256}$';
const LABEL_NAME = '^[A-Za-z0-9]([A-Za-z0-9._/-]{0,251}[A-Za-z0-9])?$';
const LABEL_VALUE = '^[^\\u0000-\\u001f\\u007f]{0,256}$';

function byPattern(description: string, pattern: string, correct: Format['correct']): Format {
  const expression = new RegExp(pattern, 'u');
  return { description, pattern, isValid: (text) => expression.test(text), correct };
}

function correctAddress(text: string): string | null {
  const candidates = [
    text.startsWith(':') ? `0.0.0.0${text}` : null,
    /^\d+$/.test(text) ? `127.0.0.1:${text}` : null,
    text.startsWith('*:') ? `0.0.0.0${text.slice(1)}` : null,
    text.replace(/^[a-z]+:\/\//i, '').replace(/\/+$/, ''),
    /^[0-9a-f:]+:\d+$/i.test(text) ? text.replace(/^(.*):(\d+)$/, '[$1]:$2') : null,
  ];
  return candidates.find((each) => each !== null && parseHostPort(each) !== null) ?? null;
}

/** Without credentials, query and fragment, and cut before the path of an API. */
function correctUrl(text: string): string | null {
  const bare = text
    .trim()
    .replace(/^(https?:\/\/)?[^/@]*@/i, '$1')
    .replace(/[?#].*$/, '')
    .replace(/\/v1\/.*$/, '');
  return parseServerUrl(bare) === null ? null : bare;
}

function correctByRemoving(unwanted: RegExp, pattern: string): Format['correct'] {
  const expression = new RegExp(pattern, 'u');
  return (text) => {
    const corrected = text.trim().replaceAll(unwanted, '-');
    return expression.test(corrected) ? corrected : null;
  };
}

/** Every text format by its name. */
export const FORMATS: Readonly<Record<FormatName, Format>> = Object.freeze({
  address: {
    description: 'host:port',
    pattern: '^(\\[[0-9A-Fa-f:.]+\\]|[^\\s:/\\[\\]]+):[0-9]{1,5}$',
    isValid: (text: string): boolean => parseHostPort(text) !== null,
    correct: correctAddress,
  },
  url: {
    description: 'an http:// or https:// URL, or host:port, without user, query and fragment',
    pattern:
      '^([Hh][Tt][Tt][Pp][Ss]?://)?(\\[[0-9A-Fa-f:.]+\\]|[^/:\\s?#@\\\\\\[\\]]+)(:[0-9]*)?(/[^\\s?#\\\\]*)?$',
    isValid: (text: string): boolean => parseServerUrl(text) !== null,
    correct: correctUrl,
  },
  path: byPattern('the path of a file', '^[^\\u0000]+$', () => null),
  module: byPattern('a package or the path of a file', '^[^\\u0000]+$', () => null),
  poolName: byPattern(
    'a name of letters, digits, ".", "_" and "-", at most 128 characters',
    POOL_NAME,
    correctByRemoving(/[^A-Za-z0-9._-]+/g, POOL_NAME),
  ),
  pluginName: byPattern(
    'a name of letters, digits, ".", "_" and "-", at most 128 characters',
    POOL_NAME,
    correctByRemoving(/[^A-Za-z0-9._-]+/g, POOL_NAME),
  ),
  modelName: byPattern(
    'a model name of 1 to 256 characters without white space',
    MODEL_NAME,
    correctByRemoving(/\s+/g, MODEL_NAME),
  ),
  hostName: {
    description: 'a host name',
    pattern: '^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,252}$',
    isValid: isHost,
    correct: (text: string): string | null => {
      const bare = text.replace(/^[a-z]+:\/\//i, '').replace(/[:/].*$/, '');
      return isHost(bare) ? bare : null;
    },
  },
  resolver: {
    description: 'the address of a name server, with or without a port',
    pattern: '^(\\[[0-9A-Fa-f:.]+\\](:[0-9]{1,5})?|[0-9A-Fa-f:.]+)$',
    isValid: (text: string): boolean => parseResolver(text) !== null,
    correct: () => null,
  },
  labelName: byPattern(
    'a label name of letters, digits, ".", "_", "/" and "-"',
    LABEL_NAME,
    () => null,
  ),
  labelValue: byPattern('a label value of at most 256 characters', LABEL_VALUE, () => null),
});
