#!/usr/bin/python3
"""Rows of the demonstration ERP: the same rows for the same seed, in PostgreSQL's COPY text form.

Realistic in shape, and nobody's: companies are called Example or 示例; GTINs use GS1 prefix 2 (for use inside a
company); identity numbers have a right check digit and region 99xxxx, which is assigned to no place;
telephone numbers begin with 100, which no operator has.

usage: erp_data.py [--scale 1.0] [--seed 2026] TABLE    one table to standard output
"""
import argparse
import datetime
import random
import sys

SEED = 2026
ROWS = {  # at scale 1.0, in an order that respects foreign keys
    "distributors": 200, "customers": 20_000, "devices": 300, "formulas": 240, "batches": 5_000,
    "certificates": 600, "quality_records": 10_000, "invoices": 10_000,
    "clinical_subjects": 1_500, "device_usage": 50_000,
}
COLUMNS = {
    "distributors": "id, name, country, licence_no, contact_email",
    "customers": "id, name, kind, province, distributor_id, contact_name, contact_id_number, "
                 "contact_phone, credit_limit, note, updated_at",
    "devices": "id, udi_di, name, risk_class, registration_no",
    "formulas": "id, code, device_id, revision, composition, sinter_minutes, approved_on",
    "batches": "id, batch_no, device_id, formula_id, quantity, made_on, expires_on, "
               "sterilised_at, status",
    "certificates": "id, device_id, kind, number, issued_by, issued_on, expires_on",
    "quality_records": "id, batch_id, test, result, unit, passed, tested_at",
    "invoices": "id, customer_id, amount, currency, issued_on, paid_on",
    "clinical_subjects": "id, subject_code, device_id, site_id, birth_date, enrolled_on",
    "device_usage": "id, batch_id, customer_id, udi, used_on, patient_name, outcome",
}
START = datetime.date(2022, 1, 3)
DAYS = 1_700

SURNAMES = ("张王李赵刘陈杨黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁"
            "魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易")
GIVEN = ("伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰春梅建国志远子涵雨桐浩然欣怡一诺梓萱宇轩"
         "思源晓东海燕文博佳琪俊凯雪莹天佑嘉懿")
ENGLISH_GIVEN = ("Alice Ben Carla David Emma Farid Grace Henry Irene Jonas Karen Liam Maria Noah "
                 "Olga Peter Quinn Rosa Samir Tessa Umar Vera William Xenia Yusuf Zoë").split()
ENGLISH_SURNAMES = ("Archer Baker O'Brien Cooper Dyer Fletcher Glover Harper Mason Müller Potter "
                    "Sawyer Taylor Turner Walker Weaver Wright").split()
PROVINCES = ("北京 上海 广东 江苏 浙江 山东 四川 湖北 湖南 河南 福建 陕西 辽宁 Bavaria Ontario "
             "Texas Victoria Yorkshire").split()
MATERIALS = ("Ti-6Al-4V", "CoCrMo", "UHMWPE", "PEEK", "hydroxyapatite 羟基磷灰石", "zirconia 氧化锆",
             "alumina 氧化铝", "PMMA", "PLLA", "magnesium ZX00", "silicone 硅胶", "316LVM steel")
DEVICES = ("hip stem 髋关节柄", "acetabular cup 髋臼杯", "knee insert 膝关节垫片", "bone screw 骨螺钉",
           "spinal cage 椎间融合器", "suture anchor 缝线锚钉", "coronary stent 冠脉支架",
           "dental implant 牙种植体", "bone cement 骨水泥", "guide wire 导丝")
TESTS = (("tensile strength 抗拉强度", 860, 60, "MPa"), ("surface roughness 表面粗糙度", 1.2, 0.3, "um"),
         ("bioburden 生物负载", 12, 6, "CFU"), ("residual EO 环氧乙烷残留", 2.1, 0.8, "mg"),
         ("endotoxin 内毒素", 0.11, 0.05, "EU/mL"))


def gs1_check_digit(digits):
    """GS1 General Specifications 7.9.1: weights 3 and 1 from the right."""
    total = sum(int(d) * (3 if i % 2 == 0 else 1) for i, d in enumerate(reversed(digits)))
    return str(-total % 10)


def gtin14(number):
    body = f"02{number:011d}"  # indicator 0, prefix 2
    return body + gs1_check_digit(body)


def id_number(rng, serial):
    """GB 11643-1999: region, birth date, sequence, and a check character by ISO 7064 MOD 11-2."""
    born = datetime.date(1955, 1, 1) + datetime.timedelta(days=rng.randrange(17_500))
    body = f"99{serial // 1000:04d}{born:%Y%m%d}{serial % 1000:03d}"
    total = sum(int(d) * (2 ** (17 - i) % 11) for i, d in enumerate(body))
    return body + "10X98765432"[total % 11]


def person(rng):
    if rng.random() < 0.8:
        return rng.choice(SURNAMES) + "".join(rng.choice(GIVEN) for _ in range(rng.choice((1, 2, 2))))
    return f"{rng.choice(ENGLISH_GIVEN)} {rng.choice(ENGLISH_SURNAMES)}"


def day(rng, first=0, last=DAYS):
    return START + datetime.timedelta(days=rng.randrange(first, last))


def moment(rng, date):
    return (f"{date} {rng.randrange(24):02d}:{rng.randrange(60):02d}:{rng.randrange(60):02d}"
            f".{rng.randrange(1_000_000):06d}+08")


def counts(scale):
    return {table: max(10, round(rows * scale)) for table, rows in ROWS.items()}


def distributors(rng, n):
    for i in range(1, n["distributors"] + 1):
        country = rng.choice(("CN", "CN", "CN", "DE", "US", "CA", "GB", "AU"))
        yield (i, f"Example Medical Supply {i} 示例医械商贸{i}号", country, f"EX-DIST-{i:05d}",
               f"orders{i}@distributor{i}.example")


def customers(rng, n):
    for i in range(1, n["customers"] + 1):
        province = rng.choice(PROVINCES)
        kind = rng.choice(("hospital", "hospital", "hospital", "clinic", "laboratory"))
        if ord(province[0]) > 255:
            name = f"示例{province}第{i}人民医院" if kind == "hospital" else f"示例{province}{i}号诊所"
        else:
            name = f"Example {province} General {kind} No. {i}"
        # The first is the one the story is told of.
        contact = "张伟" if i == 1 else person(rng)
        phone = f"100-{rng.randrange(10_000):04d}-{rng.randrange(10_000):04d}"
        limit = f"{rng.randrange(20, 4_000) * 500}.{rng.choice((0, 0, 50))}0"
        yield (i, name, kind, province, rng.randrange(1, n["distributors"] + 1), contact,
               id_number(rng, i) if i == 1 or rng.random() < 0.97 else None,
               phone if rng.random() < 0.95 else None,
               f"{float(limit):.2f}" if rng.random() < 0.9 else None,
               rng.choice((None, None, "回访 next quarter", "consignment stock", "线上订单")),
               moment(rng, day(rng)))


def devices(rng, n):
    for i in range(1, n["devices"] + 1):
        kind = DEVICES[i % len(DEVICES)]
        yield (i, gtin14(4_100_000 + i), f"{kind} size {rng.randrange(1, 20)}",
               rng.choice(("I", "IIa", "IIb", "III")), f"示例械注准2026{i:05d}")


def formulas(rng, n):
    for i in range(1, n["formulas"] + 1):
        parts = rng.sample(MATERIALS, 3)
        first = rng.randrange(500, 900)
        second = rng.randrange(50, 950 - first)
        shares = (first, second, 1000 - first - second)
        text = "; ".join(f"{p} {s / 10:.1f} %" for p, s in zip(parts, shares))
        code = "A-17" if i == 1 else f"{rng.choice('ABCDEFGH')}-{100 + i}"
        yield (i, code, rng.randrange(1, n["devices"] + 1), rng.randrange(1, 9),
               f"{text}; sinter {rng.randrange(900, 1600)} °C 烧结", rng.randrange(30, 480),
               day(rng, 0, 400))


def batches(rng, n):
    for i in range(1, n["batches"] + 1):
        made = day(rng, 400)
        status = rng.choice(("released", "released", "released", "quarantine", "rejected"))
        sterile = moment(rng, made + datetime.timedelta(days=3)) if status != "rejected" else None
        yield (i, f"L{made:%y%m}-{i:05d}", rng.randrange(1, n["devices"] + 1),
               rng.randrange(1, n["formulas"] + 1), rng.randrange(20, 2_000), made,
               made + datetime.timedelta(days=1_826), sterile, status)


def certificates(rng, n):
    for i in range(1, n["certificates"] + 1):
        issued = day(rng, 0, 1_200)
        kind = rng.choice(("ISO 13485", "EU MDR", "NMPA", "FDA 510(k)"))
        yield (i, rng.randrange(1, n["devices"] + 1), kind, f"EX-CERT-{i:06d}",
               "Example Notified Body 示例认证机构", issued,
               issued + datetime.timedelta(days=1_826))


def quality_records(rng, n):
    for i in range(1, n["quality_records"] + 1):
        test, middle, spread, unit = rng.choice(TESTS)
        value = max(0.0, rng.gauss(middle, spread / 2))
        yield (i, rng.randrange(1, n["batches"] + 1), test, f"{value:.4f}", unit,
               "t" if abs(value - middle) < spread else "f", moment(rng, day(rng, 400)))


def invoices(rng, n):
    for i in range(1, n["invoices"] + 1):
        issued = day(rng, 400)
        paid = issued + datetime.timedelta(days=rng.randrange(5, 90)) if rng.random() < 0.85 else None
        yield (i, rng.randrange(1, n["customers"] + 1), f"{rng.randrange(1_000, 90_000_000) / 100:.2f}",
               rng.choice(("CNY", "CNY", "EUR", "USD")), issued, paid)


def clinical_subjects(rng, n):
    for i in range(1, n["clinical_subjects"] + 1):
        born = datetime.date(1938, 1, 1) + datetime.timedelta(days=rng.randrange(24_000))
        yield (i, f"EX-{i % 37:02d}-{i:05d}", rng.randrange(1, n["devices"] + 1),
               rng.randrange(1, n["customers"] + 1), born, day(rng, 200))


def device_usage(rng, n):
    for i in range(1, n["device_usage"] + 1):
        batch = rng.randrange(1, n["batches"] + 1)
        used = day(rng, 500)
        di = gtin14(4_100_001 + batch % n["devices"])
        yield (i, batch, rng.randrange(1, n["customers"] + 1), f"(01){di}(10)L{batch:05d}(21){i:08d}",
               used, person(rng) if rng.random() < 0.98 else None,
               rng.choice((None, "implanted", "implanted", "implanted", "explanted", "returned")))


def rows(table, scale=1.0, seed=SEED):
    """Each table has a generator of its own, so one can change without moving the others."""
    return globals()[table](random.Random(f"{seed}/{table}"), counts(scale))


def copy_line(row):
    cells = []
    for value in row:
        text = r"\N" if value is None else str(value)
        if value is not None:
            text = text.replace("\\", r"\\").replace("\t", r"\t").replace("\n", r"\n")
        cells.append(text)
    return "\t".join(cells) + "\n"


class CopyStream:
    """A readable for psycopg2's copy_expert that makes rows as they are asked for."""

    def __init__(self, table, scale, seed=SEED):
        self.lines = (copy_line(row).encode() for row in rows(table, scale, seed))
        self.rest = b""

    def read(self, size=-1):
        parts, have = [self.rest], len(self.rest)
        while size < 0 or have < size:
            line = next(self.lines, None)
            if line is None:
                break
            parts.append(line)
            have += len(line)
        data = b"".join(parts)
        if size < 0:
            size = len(data)
        self.rest = data[size:]
        return data[:size]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("table", choices=ROWS)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seed", default=SEED)
    args = parser.parse_args()
    for row in rows(args.table, args.scale, args.seed):
        sys.stdout.write(copy_line(row))


if __name__ == "__main__":
    main()
