"""The time zones that a user or a series of events may have, as real orgs list and label them."""

# ruff: noqa: RUF001 - the names are written as they are shown

from __future__ import annotations

_GROUPS = """
+14:00 Line Islands Time: Pacific/Kiritimati
+13:45 Chatham Daylight Time: Pacific/Chatham
+13:00 New Zealand Daylight Time: Antarctica/McMurdo
+13:00 Apia Standard Time: Pacific/Apia
+13:00 New Zealand Daylight Time: Pacific/Auckland
+13:00 Phoenix Islands Time: Pacific/Enderbury
+13:00 Tokelau Time: Pacific/Fakaofo
+13:00 Tonga Standard Time: Pacific/Tongatapu
+12:00 Anadyr Standard Time: Asia/Anadyr
+12:00 Petropavlovsk-Kamchatski Standard Time: Asia/Kamchatka
+12:00 Fiji Standard Time: Pacific/Fiji
+12:00 Tuvalu Time: Pacific/Funafuti
+12:00 Marshall Islands Time: Pacific/Kwajalein Pacific/Majuro
+12:00 Nauru Time: Pacific/Nauru
+12:00 Norfolk Island Daylight Time: Pacific/Norfolk
+12:00 Gilbert Islands Time: Pacific/Tarawa
+12:00 Wake Island Time: Pacific/Wake
+12:00 Wallis & Futuna Time: Pacific/Wallis
+11:00 Casey Time: Antarctica/Casey
+11:00 Australian Eastern Daylight Time: Antarctica/Macquarie
+11:00 Magadan Standard Time: Asia/Magadan
+11:00 Sakhalin Standard Time: Asia/Sakhalin
+11:00 Magadan Standard Time: Asia/Srednekolymsk
+11:00 Australian Eastern Daylight Time: Australia/Currie Australia/Hobart
+11:00 Lord Howe Daylight Time: Australia/Lord_Howe
+11:00 Australian Eastern Daylight Time: Australia/Melbourne Australia/Sydney
+11:00 Bougainville Standard Time: Pacific/Bougainville
+11:00 Vanuatu Standard Time: Pacific/Efate
+11:00 Solomon Islands Time: Pacific/Guadalcanal
+11:00 Kosrae Time: Pacific/Kosrae
+11:00 New Caledonia Standard Time: Pacific/Noumea
+11:00 Ponape Time: Pacific/Ponape
+10:30 Australian Central Daylight Time: Australia/Adelaide Australia/Broken_Hill
+10:00 Dumont-d’Urville Time: Antarctica/DumontDUrville
+10:00 Vladivostok Standard Time: Asia/Ust-Nera Asia/Vladivostok
+10:00 Australian Eastern Standard Time: Australia/Brisbane Australia/Lindeman
+10:00 Chamorro Standard Time: Pacific/Guam
+10:00 Papua New Guinea Time: Pacific/Port_Moresby
+10:00 Chamorro Standard Time: Pacific/Saipan
+10:00 Chuuk Time: Pacific/Truk
+09:30 Australian Central Standard Time: Australia/Darwin
+09:00 Yakutsk Standard Time: Asia/Chita
+09:00 East Timor Time: Asia/Dili
+09:00 Eastern Indonesia Time: Asia/Jayapura
+09:00 Yakutsk Standard Time: Asia/Khandyga
+09:00 Korean Standard Time: Asia/Seoul
+09:00 Japan Standard Time: Asia/Tokyo
+09:00 Yakutsk Standard Time: Asia/Yakutsk
+09:00 Palau Time: Pacific/Palau
+08:45 Australian Central Western Standard Time: Australia/Eucla
+08:00 Brunei Darussalam Time: Asia/Brunei
+08:00 Ulaanbaatar Standard Time: Asia/Choibalsan
+08:00 Hong Kong Standard Time: Asia/Hong_Kong
+08:00 Irkutsk Standard Time: Asia/Irkutsk
+08:00 Malaysia Time: Asia/Kuala_Lumpur Asia/Kuching
+08:00 China Standard Time: Asia/Macau
+08:00 Central Indonesia Time: Asia/Makassar
+08:00 Philippine Standard Time: Asia/Manila
+08:00 China Standard Time: Asia/Shanghai
+08:00 Singapore Standard Time: Asia/Singapore
+08:00 Taipei Standard Time: Asia/Taipei
+08:00 Ulaanbaatar Standard Time: Asia/Ulaanbaatar
+08:00 Australian Western Standard Time: Australia/Perth
+07:00 Davis Time: Antarctica/Davis
+07:00 Indochina Time: Asia/Bangkok
+07:00 Moscow Standard Time + 4: Asia/Barnaul
+07:00 Indochina Time: Asia/Ho_Chi_Minh
+07:00 Hovd Standard Time: Asia/Hovd
+07:00 Western Indonesia Time: Asia/Jakarta
+07:00 Krasnoyarsk Standard Time: Asia/Krasnoyarsk Asia/Novokuznetsk
+07:00 Novosibirsk Standard Time: Asia/Novosibirsk
+07:00 Indochina Time: Asia/Phnom_Penh
+07:00 Western Indonesia Time: Asia/Pontianak
+07:00 Moscow Standard Time + 4: Asia/Tomsk
+07:00 Indochina Time: Asia/Vientiane
+07:00 Christmas Island Time: Indian/Christmas
+06:30 Myanmar Time: Asia/Rangoon
+06:30 Cocos Islands Time: Indian/Cocos
+06:00 Vostok Time: Antarctica/Vostok
+06:00 East Kazakhstan Time: Asia/Almaty
+06:00 Kyrgyzstan Time: Asia/Bishkek
+06:00 Bangladesh Standard Time: Asia/Dhaka
+06:00 Omsk Standard Time: Asia/Omsk
+06:00 East Kazakhstan Time: Asia/Qostanay
+06:00 Bhutan Time: Asia/Thimphu
+06:00 China Standard Time: Asia/Urumqi
+06:00 Indian Ocean Time: Indian/Chagos
+05:45 Nepal Time: Asia/Kathmandu
+05:30 India Standard Time: Asia/Colombo Asia/Kolkata
+05:00 Mawson Time: Antarctica/Mawson
+05:00 West Kazakhstan Time: Asia/Aqtau Asia/Aqtobe
+05:00 Turkmenistan Standard Time: Asia/Ashgabat
+05:00 West Kazakhstan Time: Asia/Atyrau
+05:00 Tajikistan Time: Asia/Dushanbe
+05:00 Pakistan Standard Time: Asia/Karachi
+05:00 West Kazakhstan Time: Asia/Oral Asia/Qyzylorda
+05:00 Uzbekistan Standard Time: Asia/Samarkand Asia/Tashkent
+05:00 Yekaterinburg Standard Time: Asia/Yekaterinburg
+05:00 French Southern & Antarctic Time: Indian/Kerguelen
+05:00 Maldives Time: Indian/Maldives
+04:30 Afghanistan Time: Asia/Kabul
+04:00 Azerbaijan Standard Time: Asia/Baku
+04:00 Gulf Standard Time: Asia/Dubai Asia/Muscat
+04:00 Georgia Standard Time: Asia/Tbilisi
+04:00 Armenia Standard Time: Asia/Yerevan
+04:00 Samara Standard Time: Europe/Astrakhan Europe/Samara
+04:00 Moscow Standard Time + 1: Europe/Saratov Europe/Ulyanovsk
+04:00 Seychelles Time: Indian/Mahe
+04:00 Mauritius Standard Time: Indian/Mauritius
+04:00 Réunion Time: Indian/Reunion
+03:00 East Africa Time: Africa/Addis_Ababa Africa/Asmera Africa/Dar_es_Salaam Africa/Djibouti
  Africa/Kampala Africa/Mogadishu Africa/Nairobi
+03:00 Syowa Time: Antarctica/Syowa
+03:00 Arabian Standard Time: Asia/Aden
+03:00 Eastern European Standard Time: Asia/Amman
+03:00 Arabian Standard Time: Asia/Baghdad Asia/Bahrain Asia/Kuwait Asia/Qatar Asia/Riyadh
+03:00 Eastern European Standard Time: Europe/Istanbul
+03:00 Moscow Standard Time: Europe/Kirov Europe/Minsk Europe/Moscow
+03:00 Volgograd Standard Time: Europe/Volgograd
+03:00 East Africa Time: Indian/Antananarivo Indian/Comoro Indian/Mayotte
+02:00 Central Africa Time: Africa/Blantyre Africa/Bujumbura
+02:00 Eastern European Standard Time: Africa/Cairo
+02:00 Central Africa Time: Africa/Gaborone Africa/Harare
+02:00 South Africa Standard Time: Africa/Johannesburg
+02:00 Central Africa Time: Africa/Juba Africa/Kigali Africa/Lubumbashi Africa/Lusaka Africa/Maputo
+02:00 South Africa Standard Time: Africa/Maseru Africa/Mbabane
+02:00 Eastern European Standard Time: Africa/Tripoli
+02:00 Central Africa Time: Africa/Windhoek
+02:00 Eastern European Standard Time: Asia/Beirut Asia/Famagusta Asia/Gaza Asia/Hebron
+02:00 Israel Standard Time: Asia/Jerusalem
+02:00 Eastern European Standard Time: Asia/Nicosia Europe/Athens Europe/Bucharest Europe/Chisinau
  Europe/Helsinki Europe/Kaliningrad Europe/Kiev=Europe/Kyiv Europe/Mariehamn Europe/Riga Europe/Sofia
  Europe/Tallinn Europe/Uzhgorod Europe/Vilnius Europe/Zaporozhye
+01:00 Central European Standard Time: Africa/Algiers
+01:00 West Africa Standard Time: Africa/Bangui Africa/Brazzaville
+01:00 Western European Summer Time: Africa/Casablanca
+01:00 Central European Standard Time: Africa/Ceuta
+01:00 West Africa Standard Time: Africa/Douala
+01:00 Western European Summer Time: Africa/El_Aaiun
+01:00 West Africa Standard Time: Africa/Kinshasa Africa/Lagos Africa/Libreville Africa/Luanda
  Africa/Malabo Africa/Ndjamena Africa/Niamey Africa/Porto-Novo
+01:00 Central European Standard Time: Africa/Tunis Arctic/Longyearbyen Europe/Amsterdam Europe/Andorra
  Europe/Belgrade Europe/Berlin Europe/Bratislava Europe/Brussels Europe/Budapest Europe/Busingen
  Europe/Copenhagen Europe/Gibraltar Europe/Ljubljana Europe/Luxembourg Europe/Madrid Europe/Malta
  Europe/Monaco Europe/Oslo Europe/Paris Europe/Podgorica Europe/Prague Europe/Rome Europe/San_Marino
  Europe/Sarajevo Europe/Skopje Europe/Stockholm Europe/Tirane Europe/Vaduz Europe/Vatican Europe/Vienna
  Europe/Warsaw Europe/Zagreb Europe/Zurich
+00:00 Greenwich Mean Time: Africa/Abidjan Africa/Accra Africa/Bamako Africa/Banjul Africa/Bissau
  Africa/Conakry Africa/Dakar Africa/Freetown Africa/Lome Africa/Monrovia Africa/Nouakchott
  Africa/Ouagadougou Africa/Sao_Tome America/Danmarkshavn Antarctica/Troll
+00:00 Western European Standard Time: Atlantic/Canary Atlantic/Faeroe Atlantic/Madeira
+00:00 Greenwich Mean Time: Atlantic/Reykjavik Atlantic/St_Helena Europe/Dublin Europe/Guernsey
  Europe/Isle_of_Man Europe/Jersey
+00:00 Western European Standard Time: Europe/Lisbon
+00:00 Greenwich Mean Time: Europe/London GMT
-01:00 East Greenland Standard Time: America/Scoresbysund
-01:00 Azores Standard Time: Atlantic/Azores
-01:00 Cape Verde Standard Time: Atlantic/Cape_Verde
-02:00 West Greenland Standard Time: America/Godthab
-02:00 Fernando de Noronha Standard Time: America/Noronha
-02:00 South Georgia Time: Atlantic/South_Georgia
-03:00 Brasilia Standard Time: America/Araguaina
-03:00 Argentina Standard Time: America/Argentina/Buenos_Aires America/Argentina/La_Rioja
  America/Argentina/Rio_Gallegos America/Argentina/Salta America/Argentina/San_Juan
  America/Argentina/San_Luis America/Argentina/Tucuman America/Argentina/Ushuaia
-03:00 Paraguay Summer Time: America/Asuncion
-03:00 Brasilia Standard Time: America/Bahia America/Belem
-03:00 Argentina Standard Time: America/Catamarca
-03:00 French Guiana Time: America/Cayenne
-03:00 Argentina Standard Time: America/Cordoba
-03:00 Brasilia Standard Time: America/Fortaleza
-03:00 Argentina Standard Time: America/Jujuy
-03:00 Brasilia Standard Time: America/Maceio
-03:00 Argentina Standard Time: America/Mendoza
-03:00 St Pierre & Miquelon Standard Time: America/Miquelon
-03:00 Uruguay Standard Time: America/Montevideo
-03:00 Suriname Time: America/Paramaribo
-03:00 Chile Standard Time: America/Punta_Arenas
-03:00 Brasilia Standard Time: America/Recife America/Santarem
-03:00 Chile Summer Time: America/Santiago
-03:00 Brasilia Standard Time: America/Sao_Paulo
-03:00 Chile Standard Time: Antarctica/Palmer
-03:00 Rothera Time: Antarctica/Rothera
-03:00 Falkland Islands Standard Time: Atlantic/Stanley
-03:30 Newfoundland Standard Time: America/St_Johns
-04:00 Atlantic Standard Time: America/Anguilla America/Antigua America/Aruba America/Barbados
  America/Blanc-Sablon
-04:00 Amazon Standard Time: America/Boa_Vista America/Campo_Grande
-04:00 Venezuela Time: America/Caracas
-04:00 Amazon Standard Time: America/Cuiaba
-04:00 Atlantic Standard Time: America/Curacao America/Dominica America/Glace_Bay America/Goose_Bay
  America/Grenada America/Guadeloupe
-04:00 Guyana Time: America/Guyana
-04:00 Atlantic Standard Time: America/Halifax America/Kralendijk
-04:00 Bolivia Time: America/La_Paz
-04:00 Atlantic Standard Time: America/Lower_Princes
-04:00 Amazon Standard Time: America/Manaus
-04:00 Atlantic Standard Time: America/Marigot America/Martinique America/Moncton America/Montserrat
  America/Port_of_Spain
-04:00 Amazon Standard Time: America/Porto_Velho
-04:00 Atlantic Standard Time: America/Puerto_Rico America/Santo_Domingo America/St_Barthelemy
  America/St_Kitts America/St_Lucia America/St_Thomas America/St_Vincent America/Thule America/Tortola
  Atlantic/Bermuda
-05:00 Colombia Standard Time: America/Bogota
-05:00 Eastern Standard Time: America/Cancun America/Cayman America/Coral_Harbour America/Detroit
-05:00 Acre Standard Time: America/Eirunepe
-05:00 Eastern Standard Time: America/Grand_Turk
-05:00 Ecuador Time: America/Guayaquil
-05:00 Eastern Standard Time: America/Indiana/Indianapolis America/Indiana/Marengo
  America/Indiana/Petersburg America/Indiana/Vevay America/Indiana/Vincennes America/Indiana/Winamac
  America/Iqaluit America/Jamaica America/Kentucky/Monticello
-05:00 Peru Standard Time: America/Lima
-05:00 Eastern Standard Time: America/Louisville America/Montreal America/Nassau America/New_York
  America/Nipigon America/Panama America/Pangnirtung America/Port-au-Prince
-05:00 Acre Standard Time: America/Rio_Branco
-05:00 Eastern Standard Time: America/Thunder_Bay America/Toronto
-05:00 Easter Island Summer Time: Pacific/Easter
-06:00 Central Standard Time: America/Bahia_Banderas America/Belize America/Chicago
-06:00 Mexican Pacific Standard Time: America/Chihuahua
-06:00 Central Standard Time: America/Costa_Rica America/El_Salvador America/Guatemala
  America/Indiana/Knox America/Indiana/Tell_City America/Managua America/Matamoros America/Menominee
  America/Merida America/Mexico_City America/Monterrey America/North_Dakota/Beulah
  America/North_Dakota/Center America/North_Dakota/New_Salem
-06:00 Mountain Standard Time: America/Ojinaga
-06:00 Central Standard Time: America/Rainy_River America/Rankin_Inlet America/Regina America/Resolute
  America/Swift_Current America/Tegucigalpa America/Winnipeg
-06:00 Galapagos Time: Pacific/Galapagos
-07:00 Mountain Standard Time: America/Boise America/Cambridge_Bay America/Creston
-07:00 Yukon Time: America/Dawson
-07:00 Mountain Standard Time: America/Dawson_Creek America/Denver America/Edmonton America/Fort_Nelson
-07:00 Mexican Pacific Standard Time: America/Hermosillo
-07:00 Mountain Standard Time: America/Inuvik
-07:00 Mexican Pacific Standard Time: America/Mazatlan
-07:00 Mountain Standard Time: America/Phoenix
-07:00 Yukon Time: America/Whitehorse
-07:00 Mountain Standard Time: America/Yellowknife
-08:00 Pacific Standard Time: America/Los_Angeles
-08:00 Northwest Mexico Standard Time: America/Santa_Isabel
-08:00 Pacific Standard Time: America/Tijuana America/Vancouver
-08:00 Pitcairn Time: Pacific/Pitcairn
-09:00 Alaska Standard Time: America/Anchorage America/Juneau America/Metlakatla America/Nome
  America/Sitka America/Yakutat
-09:00 Gambier Time: Pacific/Gambier
-09:30 Marquesas Time: Pacific/Marquesas
-10:00 Hawaii-Aleutian Standard Time: America/Adak Pacific/Honolulu Pacific/Johnston
-10:00 Cook Islands Standard Time: Pacific/Rarotonga
-10:00 Tahiti Time: Pacific/Tahiti
-11:00 Samoa Standard Time: Pacific/Midway
-11:00 Niue Time: Pacific/Niue
-11:00 Samoa Standard Time: Pacific/Pago_Pago
"""
"""Offset, name, and the zones that share both; a line that is set in goes on with the one before.

A zone that is shown under another name is written with it, as old=new.
"""


def zone_labels() -> tuple[tuple[str, str], ...]:
    """Gives each zone with its label, from east to west."""
    found: list[tuple[str, str]] = []
    for line in _GROUPS.strip().replace("\n  ", " ").splitlines():
        head, _, zones = line.partition(": ")
        offset, _, name = head.partition(" ")
        for entry in zones.split():
            zone, _, shown = entry.partition("=")
            found.append((zone, f"(GMT{offset}) {name} ({shown or zone})"))
    return tuple(found)
