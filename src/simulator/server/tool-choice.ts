import { isJsonObject, readArray, readObject, readString, type JsonObject } from './json-value.ts';

/** A call that the simulated model makes. */
export interface ToolCall {
  readonly name: string;
  /** JSON text. */
  readonly arguments: string;
}

interface ToolDefinition {
  readonly name: string;
  readonly schema: JsonObject;
}

/**
 * Whether the answer calls a tool: always when `tool_choice` forces one, and with `auto` when the
 * last message is not a tool's result. It calls the named tool or the first, with an argument per
 * required property of its schema. Understands OpenAI's and Anthropic's forms.
 */
export function chooseTool(body: JsonObject): ToolCall | null {
  const tools = readArray(body, 'tools').flatMap((tool) => readDefinition(tool));
  const choice = body['tool_choice'];
  if (tools.length === 0 || choice === 'none') return null;
  const named = isJsonObject(choice) ? choice : {};
  if (named['type'] === 'none') return null;
  const wanted = readString(readObject(named, 'function') ?? named, 'name');
  const tool = tools.find((candidate) => candidate.name === wanted) ?? tools[0];
  if (tool === undefined) return null;
  const isForced = choice === 'required' || named['type'] === 'any' || wanted !== null;
  if (!isForced && endsWithToolResult(body)) return null;
  return { name: tool.name, arguments: JSON.stringify(argumentsFor(tool.schema)) };
}

function readDefinition(tool: unknown): ToolDefinition[] {
  if (!isJsonObject(tool)) return [];
  const definition = readObject(tool, 'function') ?? tool;
  const name = readString(definition, 'name');
  if (name === null) return [];
  const schema = readObject(definition, 'parameters') ?? readObject(definition, 'input_schema');
  return [{ name, schema: schema ?? {} }];
}

function endsWithToolResult(body: JsonObject): boolean {
  const last = [...readArray(body, 'messages'), ...readArray(body, 'input')].at(-1);
  if (!isJsonObject(last)) return false;
  if (last['role'] === 'tool' || last['type'] === 'function_call_output') return true;
  return readArray(last, 'content').some(
    (part) => isJsonObject(part) && part['type'] === 'tool_result',
  );
}

/** An example value per required property, or per property when none is required. */
function argumentsFor(schema: JsonObject): JsonObject {
  const properties = readObject(schema, 'properties') ?? {};
  const required = readArray(schema, 'required').filter((name) => typeof name === 'string');
  const names = required.length > 0 ? required : Object.keys(properties);
  return Object.fromEntries(
    names.map((name) => [name, exampleOf(readObject(properties, name) ?? {}, name)]),
  );
}

function exampleOf(schema: JsonObject, name: string): unknown {
  const [first] = readArray(schema, 'enum');
  if (first !== undefined) return first;
  switch (schema['type']) {
    case 'integer':
    case 'number':
      return 1;
    case 'boolean':
      return true;
    case 'array':
      return [];
    case 'object':
      return argumentsFor(schema);
    default:
      return `example ${name}`;
  }
}
