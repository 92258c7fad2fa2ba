"""Small images in every variant of the formats that data/codecs/ reads, beside JPEG and PNG.

Each function takes a width, a height and a generator of random numbers, and yields (name, contents of the file).
Variants that Pillow cannot write are written here.
"""

import io

from PIL import Image


def photograph(width, height, rng, mode="RGB"):
    """Smooth colour with some noise, in two or four channels with alpha."""
    clip = lambda v: max(0, min(255, v + rng.randint(-20, 20)))
    pixels = [tuple(map(clip, (x * 12 % 256, y * 14 % 256, (255 - x * 6 - y * 7) % 256, 40 * ((x + y) % 7))))
              for y in range(height) for x in range(width)]
    im = Image.new("RGBA", (width, height))
    im.putdata(pixels)
    return im.convert(mode)


def noise(width, height, rng, mode="RGB"):
    bands = len(Image.new(mode, (1, 1)).getbands())
    return Image.frombytes(mode, (width, height), rng.randbytes(width * height * bands))


def saved(im, kind, **options):
    out = io.BytesIO()
    im.save(out, kind, **options)
    return out.getvalue()


def webp(width, height, rng):
    rgb, rgba = photograph(width, height, rng), photograph(width, height, rng, "RGBA")
    yield "lossy.webp", saved(rgb, "WEBP", quality=60)
    yield "lossy_alpha.webp", saved(rgba, "WEBP", quality=60)
    yield "lossy_alpha_lossy.webp", saved(rgba, "WEBP", quality=60, alpha_quality=20)
    yield "lossy_small.webp", saved(rgb, "WEBP", quality=0, method=6)
    yield "lossy_best.webp", saved(rgb, "WEBP", quality=100, method=0)
    yield "lossless.webp", saved(rgb, "WEBP", lossless=True)
    yield "lossless_noise.webp", saved(noise(width, height, rng), "WEBP", lossless=True, quality=0, method=0)
    yield "lossless_alpha.webp", saved(rgba, "WEBP", lossless=True, exact=True)
    yield "lossless_palette.webp", saved(rgb.quantize(11).convert("RGB"), "WEBP", lossless=True, method=6)
    yield "grey.webp", saved(rgb.convert("L"), "WEBP", lossless=True)
    yield "metadata.webp", saved(rgb, "WEBP", quality=80, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0", icc_profile=b"x" * 99)
    frames = [photograph(width, height, rng, "RGBA") for _ in range(3)]
    yield "animated.webp", saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], quality=70)
    yield "animated_opaque.webp", saved(rgb, "WEBP", save_all=True, lossless=True,
                                        append_images=[noise(width, height, rng)])
    # A first frame that leaves a border of the canvas.
    frame = saved(photograph(width, height, rng, "RGBA"), "WEBP", lossless=True, exact=True)
    yield "animated_border.webp", _webp_with_border(frame[12:], width, height)


def _webp_with_border(image_chunks, width, height):
    u24 = lambda v: v.to_bytes(3, "little")
    chunk = lambda kind, body: kind + len(body).to_bytes(4, "little") + body + b"\0" * (len(body) % 2)
    frame = u24(1) + u24(2) + u24(width - 1) + u24(height - 1) + u24(100) + b"\0" + image_chunks
    body = (b"WEBP" + chunk(b"VP8X", b"\x12\0\0\0" + u24(width + 4) + u24(height + 6)) +
            chunk(b"ANIM", b"\xff\x80\x40\xff\0\0") + chunk(b"ANMF", frame))
    return chunk(b"RIFF", body)


ALL = {"webp": webp}
