import type { ImportReport } from './import-problem.ts';

const NO_FLOW_CONTROL =
  'requests are neither queued nor shed by the gateway; ' +
  '"utilization-filter" spares endpoints that are full';

/** Feature gates of the endpoint picker, and whether each changes nothing here when it is on. */
const GATES: Readonly<Record<string, boolean>> = Object.freeze({
  flowControl: false,
  haPopulateNonLeaderDatastore: true,
  dataLayer: true,
  prepareDataPlugins: true,
});

/** Checks the parts of a document beside its plugins and profiles. */
export function checkSections(
  document: Readonly<Record<string, unknown>>,
  plugins: ReadonlySet<string>,
  report: ImportReport,
): void {
  checkGates(document['featureGates'], report);
  checkFlowControl(document, plugins, report);
  checkDataLayer(document['dataLayer'] ?? document['data'], plugins, report);
  const handler = report.mapping('requestHandler', document['requestHandler']);
  report.checkKeys('requestHandler', handler, ['parsers', 'parser']);
  checkReferences('requestHandler.parsers', handler['parsers'], { plugins, report });
  if (document['parser'] !== undefined) {
    checkReferences('parser', [document['parser']], { plugins, report });
  }
}

function checkGates(value: unknown, report: ImportReport): void {
  for (const [index, gate] of report.list('featureGates', value).entries()) {
    const path = `featureGates[${index}]`;
    const [name = '', setting = 'true'] = typeof gate === 'string' ? gate.split('=') : [];
    const isHarmless = GATES[name];
    if (isHarmless === undefined) {
      report.fail(path, `"${name}" is unknown; gates are ${Object.keys(GATES).join(', ')}`);
    } else if (setting === 'true' && !isHarmless) {
      report.fail(path, `"${name}" cannot be honoured: ${NO_FLOW_CONTROL}`);
    }
  }
}

function checkFlowControl(
  document: Readonly<Record<string, unknown>>,
  plugins: ReadonlySet<string>,
  report: ImportReport,
): void {
  const flowControl = report.mapping('flowControl', document['flowControl']);
  const { saturationDetector, ...others } = flowControl;
  if (Object.keys(others).length > 0) {
    report.note('flowControl', 'is not in force without the feature gate "flowControl"');
  }
  const detectors = [
    ['flowControl.saturationDetector', saturationDetector],
    ['saturationDetector', document['saturationDetector']],
  ] as const;
  for (const [path, detector] of detectors) {
    if (detector === undefined || detector === null) continue;
    checkReferences(path, [detector], { plugins, report });
    report.note(path, `sheds only requests of negative priority; ${NO_FLOW_CONTROL}`);
  }
}

function checkDataLayer(value: unknown, plugins: ReadonlySet<string>, report: ImportReport): void {
  const dataLayer = report.mapping('dataLayer', value);
  for (const [key, setting] of Object.entries(dataLayer)) {
    const path = `dataLayer.${key}`;
    if (key === 'sources') checkSources(path, setting, { plugins, report });
    else if (key === 'injectDefaults') {
      if (setting === false) report.note(path, 'metrics of the endpoints are read all the same');
    } else {
      report.fail(path, 'cannot be honoured: endpoints come from the pools of the configuration');
    }
  }
}

interface References {
  readonly plugins: ReadonlySet<string>;
  readonly report: ImportReport;
}

function checkSources(path: string, value: unknown, { plugins, report }: References): void {
  const sources = report.list(path, value);
  checkReferences(path, sources, { plugins, report });
  for (const [index, source] of sources.entries()) {
    const at = `${path}[${index}].extractors`;
    const { extractors } = report.mapping(`${path}[${index}]`, source);
    checkReferences(at, extractors, { plugins, report });
  }
}

/** Every `pluginRef` of a list must name a declared plugin, or a type that comes by itself. */
function checkReferences(path: string, value: unknown, { plugins, report }: References): void {
  for (const [index, each] of report.list(path, value).entries()) {
    const at = `${path}[${index}]`;
    const reference = report.text(
      `${at}.pluginRef`,
      report.mapping(at, each)['pluginRef'],
      'required',
    );
    if (reference !== null && !plugins.has(reference)) {
      report.fail(`${at}.pluginRef`, `no plugin is named "${reference}"`);
    }
  }
}
