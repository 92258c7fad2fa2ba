"""The results as tables in Markdown: at the end of a call, and for benchmarks/gpu.md."""


def table(head, rows):
    return ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)] + ["| " + " | ".join(row) + " |" for row in rows]


def cell(text):
    return str(text).replace("|", "\\|").replace("\n", " ")


# --- check ---

RESULT = {True: "right", False: "**wrong**", None: "not run"}


def of_check(part):
    items = part.get("items", {})
    lines = table(["check", "result", "what was found", "s"],
                  [[name, RESULT[item["ok"]], cell(item["detail"]), f"{item.get('seconds', 0):.0f}"] for name, item in items.items()])
    operations = part.get("operations", {})
    if operations:
        rows = []
        for precision in "fp64", "fp32", "bf16":
            found = {name: row[precision] for name, row in operations.items() if "error" in row.get(precision, {})}
            if not found:
                continue
            worst = max(found, key=lambda name: float(found[name]["error"]) / float(found[name]["bound"]))
            changing = [name for name, values in found.items() if values.get("repeats") == "no"]
            rows.append([precision, str(len(found)), f"{worst}: {found[worst]['error']} of {found[worst]['bound']}",
                         ", ".join(changing) or "none"])
        lines += ["", *table(["arithmetic", "operations", "nearest to its bound", "not the same bits again"], rows)]
    return lines


# --- speed ---


def spread(row):
    ratios = row["ratios"]
    return f"{row['ratio']:.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def side(row):
    busy = f"{1 - row['busy']:.0%}" if "busy" in row else ""
    return [f"{row['pairs_per_second']:,.0f}", f"{row['memory'] / 1e9:.1f}", f"{row['kernels']:.0f}", f"{row['waits']:.0f}", busy]


def of_speed(part):
    done = part.get("done", {})
    keys = [key for key in part.get("wanted", done) if key in done]
    rows = []
    for key in keys:
        row = done[key]
        if "ratio" not in row:
            continue
        case, sides = key.split(": ")
        ours, reference = sides.split(" beside ")
        rows.append([case, ours, reference, spread(row), *side(row["ours"]),
                     *[f"{value}" for value in side(row["theirs"])]])
    lines = table(["case", "ours", "beside", "times as fast (turns)", "pairs/s", "GB", "kernels", "waits", "idle",
                   "its pairs/s", "GB", "kernels", "waits", "idle"], rows) if rows else []
    facts = []
    for key in keys:
        if "gate" in done[key]:
            facts.append(f"- {key.split(': ')[0]}: 20 losses in float64 agree with the official code within {done[key]['gate']:.0e}")
        if "failed" in done[key]:
            facts.append(f"- {key}: **failed**: {cell(done[key]['failed'])}")
    end = done.get("end to end", {})
    if "pairs_per_second" in end:
        share = f", {end['of_compute_only']:.0%} of the step alone" if "of_compute_only" in end else ""
        facts.append(f"- end to end from JPEG files ({end['case']}; {end['bytes_an_image'] / 1000:.0f} kB an image, {end['workers']} "
                     f"loader threads): {end['pairs_per_second']:,.0f} pairs/s{share}; the loop waits for images {end['waiting']:.0%} of the time")
    missing = [key for key in part.get("wanted", []) if key not in done]
    if missing:
        facts.append(f"- not reached, call again: {'; '.join(missing)}")
    return lines + ([""] if lines and facts else []) + facts


# --- demo ---


def of_demo(part):
    epochs = part.get("epochs", [])
    if not epochs:
        return ["The demo has not ended an epoch."]
    wanted = [row for row in epochs if row["epoch"] in (1, 2, 5) or row["epoch"] % 10 == 0 or row is epochs[-1]]
    number = lambda row, key, digits: f"{row[key]:.{digits}f}" if key in row else ""
    lines = table(["epoch", "loss", "kNN, %", "published, %"],
                  [[str(row["epoch"]), number(row, "loss", 3), number(row, "knn", 2), number(row, "published", 2)] for row in wanted])
    state = "" if part.get("over") else " so far; call again"
    return lines + ["", f"`{part['settings']}`: {part['seconds']:.0f} s{state}, kNN after every epoch included; "
                    f"{part.get('pairs_per_second', 0):,.0f} pairs/s in training."]


OF = {"check": of_check, "speed": of_speed, "demo": of_demo}


def of_part(name, results):
    return OF[name](results.get(name, {}))
