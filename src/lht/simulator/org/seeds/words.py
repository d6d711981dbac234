"""Words that seeded records are made of, in many scripts, with the characters that break careless software."""

# ruff: noqa: RUF001 - letters of other scripts are what these words are for

from __future__ import annotations

FIRST_NAMES = (
    "Ann", "Benoît", "Chloë", "Dmitri", "Eşref", "Fatima", "Giulia", "Hannah", "Ingrid", "José", "Kübra", "Liam",
    "Mária", "Noor", "Olga", "Pádraig", "Quỳnh", "René", "Søren", "Tomasz", "Uzma", "Věra", "Wei", "Ximena", "Yuki",
    "Zoë", "Анна", "Δημήτρης", "麗", "さくら", "지민", "ליאור", "محمد", "प्रिया", "สมชาย", "Ọláyínká",
)  # fmt: skip
LAST_NAMES = (
    "Adeyemi", "Bauer", "Castillo", "Dąbrowski", "Eriksson", "Ferreira", "García", "Håkansson", "Ivanova", "Jørgensen",
    "Kowalczyk", "Lefèvre", "Müller", "Nguyễn", "O'Brien", "Papadopoulos", "Quintero", "Rossi", "Şahin", "Tanaka",
    "Üçüncü", "Van der Meer", "Weiß", "Xu", "Yılmaz", "Zieliński", "Петрова", "Παππάς", "王", "山田", "김", "כהן",
    "الخطيب", "शर्मा", "ชัยวัฒน์", "D’Angelo-Smith",
)  # fmt: skip
COMPANY_HEADS = (
    "Acme", "Baltic", "Córdoba", "Dragonfly", "Élan", "Fjord", "Grünwald", "Höhe", "Île-de-Feu", "Jade", "Köln", "Łódź",
    "Meridian", "Nordlicht", "Óbidos", "Pacific", "Quartz", "Río", "Saga", "Tōkai", "Ural", "Vesuvio", "Wren", "Zenith",
    "Восток", "Αιγαίο", "東海", "株式会社さくら", "한빛", "שחר", "الواحة", "गंगा", "สยาม", "🚀 Orbit", "🌱 Verde", "Ñandú",
)  # fmt: skip
COMPANY_TAILS = (
    "Foods", "Robotics", "Shipping", "Textiles", "Energy", "Optics", "Timber", "Records", "Glass", "Systems", "Water",
    "Labs", "Tools", "Paper", "Bikes", "Media", "Steel", "Seeds",
)  # fmt: skip
COMPANY_FORMS = (
    "Inc.", "Ltd", "GmbH", "S.A.", "AB", "Oy", "B.V.", "SpA", "& Sons, Ltd", '"North", Inc.', "株式会社", "ООО", "",
    "Kft.", "A/S", "Pty, Ltd",
)  # fmt: skip
CITIES = (
    ("Oslo", "", "0150", "Norway"), ("München", "Bayern", "80331", "Germany"), ("São Paulo", "SP", "01310-100", "Brazil"),
    ("東京", "東京都", "100-0001", "Japan"), ("서울", "", "04524", "South Korea"), ("Москва", "", "101000", "Russia"),
    ("Αθήνα", "Αττική", "105 57", "Greece"), ("القاهرة", "", "11511", "Egypt"), ("תל אביב", "", "6100000", "Israel"),
    ("मुंबई", "Maharashtra", "400001", "India"), ("กรุงเทพฯ", "", "10100", "Thailand"), ("Austin", "TX", "73301", "United States"),
    ("Reykjavík", "", "101", "Iceland"), ("Łódź", "", "90-001", "Poland"), ("Montréal", "QC", "H2Y 1C6", "Canada"),
    ("Lagos", "", "100001", "Nigeria"), ("Đà Nẵng", "", "550000", "Vietnam"), ("北京", "", "100000", "China"),
)  # fmt: skip
STREETS = (
    "Main Street", "Rue de l'Église", "Straße des 17. Juni", "Calle Mayor", "Storgatan", "улица Ленина", "中山路", "桜通り",
    "세종대로", "شارع النيل", "דרך השלום", "एम जी रोड", "Avenida da Liberdade", "Via Appia", "King's Road",
)  # fmt: skip
STREET_FORMS = (
    "{n} {s}",
    "{s} {n}",
    "{s} {n}\nFloor 2",
    '{n} {s}\r\nSuite "B", rear',
    "c/o Reception,\n{s} {n}",
)
NOTES = (
    "Met at the trade fair; wants a call back.",
    'Says: "call me later", twice.',
    "Two lines\nof notes",
    'Windows lines\r\nwith a comma, and a "quote"',
    "Приоритетный клиент",
    "重要なお客様です。",
    "🎉🎉 signed! 👩‍👩‍👧‍👦 family business",
    "عميل مهم جدا",
    "A tab\there, a backslash \\ and a percent %",
    "#N/A",
    "null",
    "=1+1",
    '"',
    ",",
    "0012",
    "1e5",
    "true",
    "Zero\u200bwidth, combining e\u0301, \ufeffmark and \u2028separator",
)
TITLES = (
    "Chief Executive Officer", "VP, Finance", "Leiter Einkauf", "Directrice générale", "部長", "Инженер", "Buyer",
    'Head of "Special" Projects', "Consultant",
)  # fmt: skip
DEPARTMENTS = ("Finance", "Purchasing", "R&D", "Legal", "営業", "Отдел продаж", "Support")
DOMAINS = ("example.com", "example.org", "example.net", "mail.example.co.uk", "example.de")
PRODUCTS = (
    "Licences",
    "Renewal",
    "Pilot",
    "Add-on",
    "Service plan",
    "拡張",
    "Расширение",
    'Phase 2, "final"',
)
