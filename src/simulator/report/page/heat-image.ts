import { crc32, deflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** Shades: enough for an eye, few enough to compress well. */
const SHADES = 32;

/** A picture of cells, a pixel each. */
export interface HeatImage {
  /** Rows after each other, 0 to 255. */
  readonly cells: Uint8Array;
  readonly columns: number;
  /** Value of the darkest shade, 1 to 255. */
  readonly highest: number;
  /** Colours as `#rrggbb`, from lowest to highest. */
  readonly ramp: readonly string[];
}

/** The picture as a `data:` address of a PNG (ISO/IEC 15948) with a palette. */
export function heatImageUrl({ cells, columns, highest, ramp }: HeatImage): string {
  const rows = columns === 0 ? 0 : Math.floor(cells.length / columns);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(Math.max(1, columns), 0);
  header.writeUInt32BE(Math.max(1, rows), 4);
  // Eight bits a pixel, of colour type 3: an index into the palette.
  header.set([8, 3, 0, 0, 0], 8);
  const pixels = Buffer.alloc(Math.max(1, rows) * (Math.max(1, columns) + 1));
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const share = (cells[row * columns + column] ?? 0) / Math.max(1, highest);
      // The first byte of a row says that it is not filtered.
      pixels[row * (columns + 1) + column + 1] = Math.round(Math.min(1, share) * (SHADES - 1));
    }
  }
  const palette = Buffer.from(
    Array.from({ length: SHADES }, (_, shade) => shadeOf(ramp, shade)).flat(),
  );
  const png = Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('PLTE', palette),
    chunk('IDAT', deflateSync(pixels, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
  return `data:image/png;base64,${png.toString('base64')}`;
}

function chunk(type: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), content]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(content.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

/** Colour of a shade, linear between the ramp's colours. */
function shadeOf(ramp: readonly string[], shade: number): number[] {
  const at = (shade / (SHADES - 1)) * (ramp.length - 1);
  const from = rgbOf(ramp[Math.floor(at)]);
  const to = rgbOf(ramp[Math.min(ramp.length - 1, Math.ceil(at))]);
  return from.map((value, index) => Math.round(value + ((to[index] ?? 0) - value) * (at % 1)));
}

function rgbOf(color: string | undefined): number[] {
  const value = Number.parseInt((color ?? '#000000').slice(1), 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}
