/**
 * The contract of third-party scheduling plugins, imported as `penstock/plugins`; types only. A
 * module of plugins exports `plugins`, a list of definitions; `docs/reference/plugins.md` tells the
 * rest, `examples/plugins` has one with its test.
 */
export type {
  BooleanOption,
  ChoiceOption,
  CustomOption,
  NumberOption,
  OptionTable,
  ParsedOptions,
  PluginOption,
  TextOption,
} from './scheduler/framework/options.ts';
export type {
  FilterDefinition,
  PickerDefinition,
  PluginContext,
  PluginDefinition,
  PluginKind,
  ScorerDefinition,
} from './scheduler/framework/plugin.ts';
export type { LoadTable } from './scheduler/ports.ts';
export type {
  AnswerHeader,
  CandidateSet,
  EndpointTraits,
  Filter,
  LatencyObjective,
  Picker,
  PickInput,
  PromptBlocks,
  Scorer,
} from './scheduler/types.ts';
