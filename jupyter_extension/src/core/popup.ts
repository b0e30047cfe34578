import { element } from './element';

const PATIENCE_MILLISECONDS = 250;
const GAP = 2;

/**
 * A card at the element that the pointer or the focus is on, one at a time. It stays while the pointer is on it,
 * so that its text can be read to the end and copied; Escape and scrolling close it.
 */
export class Popup {
  private readonly card = element('div', {
    class: 'cellops-runs cellops-popup',
    attributes: { popover: 'manual', role: 'tooltip' }
  });
  private anchor: HTMLElement | null = null;
  private leaving = 0;

  constructor() {
    this.card.addEventListener('pointerenter', () => {
      this.stay();
    });
    this.card.addEventListener('pointerleave', () => {
      this.leave();
    });
    document.addEventListener('keydown', event => {
      if (event.key === 'Escape') {
        this.hide();
      }
    });
    const scrolled = (event: Event): void => {
      if (!(event.target instanceof Node && this.card.contains(event.target))) {
        this.hide();
      }
    };
    document.addEventListener('scroll', scrolled, { capture: true, passive: true });
  }

  /** Have an element show a card; the content is asked for when it is shown. */
  attach(anchor: HTMLElement, content: () => Node[]): void {
    for (const name of ['pointerenter', 'focus', 'click']) {
      anchor.addEventListener(name, () => {
        this.show(anchor, content());
      });
    }
    for (const name of ['pointerleave', 'blur']) {
      anchor.addEventListener(name, () => {
        this.leave();
      });
    }
  }

  /** What an element says has changed: renew its card if it is the one that is shown. */
  renew(anchor: HTMLElement, content: () => Node[]): void {
    if (this.anchor === anchor) {
      this.show(anchor, content());
    }
  }

  private show(anchor: HTMLElement, content: Node[]): void {
    this.stay();
    this.anchor = anchor;
    this.card.replaceChildren(...content);
    if (!this.card.isConnected) {
      document.body.append(this.card);
    }
    this.card.showPopover();
    this.place(anchor.getBoundingClientRect());
  }

  /** Below the anchor, so that the code stays in sight, or above it; beside those that stand below it. */
  private place(anchor: DOMRect): void {
    const { width, height } = this.card.getBoundingClientRect();
    const below = anchor.bottom + GAP;
    const top = below + height <= window.innerHeight ? below : Math.max(0, anchor.top - GAP - height);
    this.card.style.left = `${Math.max(0, Math.min(anchor.right, window.innerWidth - width))}px`;
    this.card.style.top = `${top}px`;
  }

  private stay(): void {
    window.clearTimeout(this.leaving);
  }

  private leave(): void {
    this.stay();
    this.leaving = window.setTimeout(() => {
      this.hide();
    }, PATIENCE_MILLISECONDS);
  }

  private hide(): void {
    this.stay();
    this.anchor = null;
    this.card.remove();
  }
}
