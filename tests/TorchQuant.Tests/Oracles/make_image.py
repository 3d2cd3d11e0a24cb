"""Makes image*.jpg and image.bin: a picture as JPEG, baseline, progressive and grey, what Pillow decodes, and what torchvision's ImageClassification(crop_size=28, resize_size=32) makes of it before it
normalizes: resized and cropped, the same of its grey version, and enlarged (crop_size=60, resize_size=64). It was made with Pillow 9.4 (Debian 12: apt-get install python3-pil).

    python3 make_image.py
"""
import math

from PIL import Image

WIDTH, HEIGHT = 71, 47


def pixel(x, y):
    inside = (x - 30) ** 2 + (y - 20) ** 2 < 200
    wave = 40 * math.sin(x * 0.9) * math.cos(y * 0.7)
    return tuple(int(max(0, min(255, v))) for v in (3 * x + wave, 250 - 4 * y + wave, 200 if inside else 60 + wave))


def resize_and_crop(image, resize_size, crop_size):
    """torchvision.transforms.functional.resize, then center_crop."""
    width, height = image.size
    shorter = min(width, height)
    image = image.resize(tuple(resize_size if side == shorter else int(resize_size * side / shorter) for side in (width, height)), Image.BILINEAR)
    left, top = (int(round((side - crop_size) / 2.0)) for side in image.size)
    return image.crop((left, top, left + crop_size, top + crop_size))


image = Image.new("RGB", (WIDTH, HEIGHT))
image.putdata([pixel(x, y) for y in range(HEIGHT) for x in range(WIDTH)])
image.save("image.jpg", quality=90)
image.save("image_progressive.jpg", quality=90, progressive=True)
image.convert("L").save("image_grey.jpg", quality=90)

decoded = Image.open("image.jpg").convert("RGB")
with open("image.bin", "wb") as f:
    f.write(decoded.tobytes())
    f.write(Image.open("image_progressive.jpg").convert("RGB").tobytes())
    f.write(Image.open("image_grey.jpg").convert("RGB").tobytes())
    f.write(resize_and_crop(decoded, 32, 28).tobytes())
    f.write(resize_and_crop(decoded.convert("L"), 32, 28).tobytes())
    f.write(resize_and_crop(decoded, 64, 60).tobytes())
