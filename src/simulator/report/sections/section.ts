import { html, type Html, type HtmlPart } from '../page/html.ts';

/** A part of the page. */
export interface SectionContent {
  readonly id: string;
  readonly title: string;
  readonly lead: string | null;
  readonly body: HtmlPart;
}

/** A part of the page under its heading. */
export function sectionOf({ id, title, lead, body }: SectionContent): Html {
  return html`<section id="${id}" aria-labelledby="${id}-title">
    <h2 id="${id}-title">${title}</h2>
    ${lead === null ? null : html`<p class="lead">${lead.replaceAll(/\s+/g, ' ')}</p>`} ${body}
  </section>`;
}
