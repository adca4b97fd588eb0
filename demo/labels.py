"""Labels of a lot to look at: pictures, a file to print, a file for a label printer, and a page."""
import html
import shutil

from packs import sscc
from stage import require
from trace_site import Refused

SHEET = 24


class Labels:
    def __init__(self, company, folder):
        self.client = company.planner
        self.folder = folder

    def draw(self, name, codes, output, **more):
        """Writes the file; its bytes."""
        status, reply = self.client.ask("POST", "/api/trace/labels",
                                        {"codes": codes, "output": output, **more}, "labels")
        if status != 200:
            raise Refused("POST /api/trace/labels", status, reply)
        (self.folder / f"{name}.{output}").write_bytes(reply)
        return reply


def link_of(lot, serial):
    """A Digital Link that says what the Data Matrix says."""
    gtin, rest = lot.items[lot.serials.index(serial)].rsplit("/21/", 1)
    return f"{gtin}/10/{lot.number}/21/{rest}?17={lot.expires:%y%m%d}"


def draw_all(company, lot, folder):
    """All of them, in a folder that is made anew."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(mode=0o700)
    labels = Labels(company, folder)
    serial, names = lot.serials[0], ["Coronary stent 3.0 x 18", "冠状动脉支架 3.0 x 18"]
    code, case = lot.elements(serial), f"(00){sscc(lot.case_numbers[0])}"
    for output in ("svg", "png"):
        labels.draw("pack-datamatrix", [code], output, names=names, form="device")
        labels.draw("pack-qr-link", [link_of(lot, serial)], output, carrier="qr-link", names=names,
                    form="device")
        labels.draw("case-gs1-128", [case], output, carrier="gs1-128", names=["Coronary stent 3.0 x 18, one case"],
                    width_mm=100, height_mm=40)
    codes = [lot.elements(one) for one in lot.serials[:SHEET]]
    labels.draw("sheet", codes, "pdf", names=names, form="device")
    labels.draw("printer", codes, "zpl", names=names[:1], form="device")  # it has no font for Chinese
    made = [path for path in folder.iterdir() if path.stat().st_size > 100]
    require(len(made) == 8, f"{len(made)} labels of 8 were drawn")
    (folder / "index.html").write_text(page(lot, serial), "utf-8")


CARDS = (
    ("pack-datamatrix", "The pack", "GS1 Data Matrix (ISO/IEC 16022, ECC 200)", False),
    ("pack-qr-link", "The pack, for phones", "QR Code with a GS1 Digital Link", False),
    ("case-gs1-128", "The case", "GS1-128 with an SSCC", True),
)
STYLE = """
body { margin: 2.5rem auto; max-width: 62rem; padding: 0 1.5rem; color: #0f172a; background: #f8fafc;
       font: 16px/1.5 "DejaVu Sans", "Noto Sans CJK SC", sans-serif }
h1 { font-size: 1.5rem; margin: 0 } p { color: #475569; margin: .3rem 0 1.2rem }
main { display: grid; grid-template-columns: repeat(2, 1fr); gap: 1.2rem }
figure { margin: 0; padding: 1.2rem; background: #fff; border: 1px solid #cbd5e1; border-radius: .6rem }
figure.wide { grid-column: span 2 }
figure div { display: flex; gap: 1.2rem; align-items: center; justify-content: space-between }
img.label { flex: 1; min-width: 0; border: 1px solid #e2e8f0; border-radius: .3rem; box-shadow: 0 1px 4px #0002 }
img.symbol { flex: none; width: 6.5rem; image-rendering: pixelated }
figure.wide div { justify-content: center }
figure.wide img.label { flex: none; width: 55% }
figcaption { margin-top: .9rem; color: #475569; font-size: .9rem } figcaption b { color: #0f172a }
code { font: 13px "DejaVu Sans Mono", monospace; background: #e2e8f0; padding: .1rem .3rem; border-radius: .2rem;
       overflow-wrap: anywhere }
"""


def page(lot, serial):
    cards = "".join(
        f'<figure{" class=wide" if alone else ""}><div>'
        f'<img class=label src="{name}.svg" alt="{title}: label">'
        + ("" if alone else f'<img class=symbol src="{name}.png" alt="{title}: its symbol, larger">')
        + f"</div><figcaption><b>{title}</b> · {what}<br>label as <a href={name}.svg>SVG</a>, its symbol as"
        f" <a href={name}.png>PNG</a></figcaption></figure>\n" for name, title, what, alone in CARDS)
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Labels of lot {html.escape(lot.number)}</title>
<style>{STYLE}</style>
<h1>Labels of lot {html.escape(lot.number)}</h1>
<p>{len(lot.serials):,} packs. The first bears <code>{html.escape(lot.elements(serial))}</code></p>
<main>
{cards}<figure class=wide><figcaption style="margin: 0">For printers: <a href="sheet.pdf">{SHEET} labels, one a page (PDF)</a>,
<a href="printer.zpl">the same for a label printer (ZPL)</a></figcaption></figure>
</main></html>
"""
