import { DEFAULT_PRESET, PRESET_NAMES } from '../../scheduler/presets.ts';
import type {
  FilePlugin,
  FileProfile,
  FileScheduling,
  FileScorer,
  FileShadow,
} from './file-config.ts';
import {
  choice,
  freeMapping,
  list,
  numberBetween,
  object,
  optional,
  required,
  text,
  withDefault,
  type Typed,
} from './schema-node.ts';

const TYPE_DOC = 'Type of the plugin, one of the reference page or of `plugins`.';
const NAME_DOC = 'Name in decision records; without it, the type. Two plugins need two names.';
const OPTIONS_DOC = 'Options of the plugin, as its reference says.';
/** Weights beyond say no more than that nothing else counts. */
const HIGHEST_WEIGHT = 1_000_000;

const plugin: Typed<FilePlugin> = object<FilePlugin>(
  {
    type: required(text('pluginName'), TYPE_DOC),
    name: optional(text('pluginName'), NAME_DOC),
    options: optional(freeMapping(), OPTIONS_DOC),
  },
  { shorthand: 'type' },
);

const scorer: Typed<FileScorer> = object<FileScorer>(
  {
    type: required(text('pluginName'), TYPE_DOC),
    name: optional(text('pluginName'), NAME_DOC),
    weight: withDefault(
      numberBetween(0, HIGHEST_WEIGHT),
      1,
      'Share of the scorer in the total, relative to the other scorers.',
    ),
    options: optional(freeMapping(), OPTIONS_DOC),
  },
  { shorthand: 'type' },
);

const profile: Typed<FileProfile> = object<FileProfile>({
  filters: withDefault(list(plugin), [], 'Plugins that remove endpoints, in this order.'),
  scorers: withDefault(list(scorer), [], 'Plugins that rate what is left.'),
  picker: optional(
    plugin,
    'Plugin that orders by the scores; without it, the highest comes first.',
  ),
});

const shadow: Typed<FileShadow> = object<FileShadow>(
  {
    preset: optional(choice(PRESET_NAMES), 'A named policy.'),
    profile: optional(profile, 'A policy of your own.'),
  },
  { shorthand: 'preset', exactlyOne: ['preset', 'profile'] },
);

/** `scheduling`: which policy chooses endpoints. */
export const SCHEDULING_SCHEMA: Typed<FileScheduling> = object<FileScheduling>({
  preset: optional(
    choice(PRESET_NAMES),
    `A named policy; \`${DEFAULT_PRESET}\` when nothing is chosen here.`,
  ),
  profile: optional(profile, 'A policy of your own, in place of a preset.'),
  endpointPickerConfig: optional(
    text('path'),
    'File with an `EndpointPickerConfig` of llm-d or the Gateway API Inference Extension, in place of a preset.',
  ),
  shadow: optional(
    shadow,
    'A second policy that scores every request without routing it, to compare; a plain name is a preset.',
  ),
  plugins: withDefault(
    list(text('module')),
    [],
    'Modules of third-party plugins: packages by name, files by a path that begins with `.` or `/`. They run inside the gateway.',
  ),
});
