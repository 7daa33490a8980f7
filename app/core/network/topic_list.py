"""The fields of knowledge that cards may name: a fixed list, the same on every device.

Tags are from this list and from nowhere else, so that no word of a document can get into a card. They are
coarse on purpose: they say no more than the shelf of a library does. The descriptions are what a text is
compared with, in both languages of the app. Entries may be added; none may change its meaning.
"""

from __future__ import annotations

from collections.abc import Mapping

TOPICS: Mapping[str, str] = {
    "programming": "programming languages, functions, classes, errors in code · برنامه‌نویسی، کد، تابع",
    "operating-systems": "operating systems, Linux, Debian, Windows, kernel, packages "
    "· سیستم‌عامل، لینوکس، ویندوز",
    "using-a-computer": "desktop, windows on the screen, file manager, folders, keyboard, mouse "
    "· کار با رایانه، پنجره، پوشه",
    "computer-networks": "internet connection, wireless network, Wi-Fi, VPN, server · شبکه، اینترنت، وای‌فای",
    "computer-hardware": "processor, memory, disk, printer, screen, battery · سخت‌افزار، چاپگر، حافظه",
    "databases": "databases, tables, queries, SQL · پایگاه داده، جدول، پرس‌وجو",
    "artificial-intelligence": "machine learning, neural networks, language models "
    "· هوش مصنوعی، یادگیری ماشین",
    "information-security": "passwords, encryption, viruses, privacy of data "
    "· امنیت اطلاعات، رمزنگاری، گذرواژه",
    "phones": "mobile phones, apps, calls, messages · تلفن همراه، برنامک، پیام",
    "photography-video": "photographs, cameras, video, film editing · عکاسی، دوربین، فیلم‌برداری",
    "software-licences": "free software licences, copyright of programs · پروانه نرم‌افزار آزاد، حق نشر",
    "mathematics": "mathematics, algebra, geometry, proofs · ریاضیات، جبر، هندسه",
    "statistics": "statistics, probability, surveys · آمار، احتمال",
    "physics": "physics, energy, forces, light, quantum mechanics · فیزیک، انرژی، نیرو",
    "chemistry": "chemistry, molecules, reactions, laboratory · شیمی، مولکول، واکنش",
    "biology": "biology, cells, genes, evolution · زیست‌شناسی، سلول، ژن",
    "astronomy": "stars, planets, telescopes, space travel · ستاره‌شناسی، سیاره، فضا",
    "earth-climate": "geology, weather, climate, oceans · زمین‌شناسی، آب‌وهوا، اقلیم",
    "animals": "wild animals, pets, dogs, cats, birds · جانوران، حیوان خانگی، پرنده",
    "plants-gardening": "plants, gardening, flowers, trees, soil · گیاهان، باغبانی، گل، درخت",
    "farming": "agriculture, crops, livestock, irrigation · کشاورزی، محصول، دامداری، آبیاری",
    "medicine": "diseases, symptoms, treatment, hospital, doctor · پزشکی، بیماری، درمان",
    "medicines": "drugs, doses, side effects, pharmacy · دارو، مقدار مصرف، عوارض، داروخانه",
    "mental-health": "psychology, stress, therapy, emotions · روان‌شناسی، اضطراب، درمان روان",
    "nutrition-fitness": "diet, vitamins, exercise, training · تغذیه، ویتامین، ورزش بدنی",
    "pregnancy-children": "pregnancy, babies, bringing up children · بارداری، نوزاد، تربیت کودک",
    "cooking": "recipes, cooking, baking, kitchen · آشپزی، دستور پخت، آشپزخانه",
    "law": "laws, courts, contracts, rights · حقوق، قانون، دادگاه، قرارداد",
    "taxes": "income tax, VAT, tax return · مالیات، اظهارنامه",
    "money-banking": "bank accounts, loans, insurance, investing · بانک، وام، بیمه، سرمایه‌گذاری",
    "business": "companies, marketing, sales, management · شرکت، بازاریابی، فروش، مدیریت",
    "economics": "economy, trade, prices, inflation · اقتصاد، تجارت، تورم",
    "work-careers": "jobs, employment, salary, job applications · کار، استخدام، دستمزد",
    "public-services": "government offices, permits, identity cards, visas · اداره دولتی، مجوز، گذرنامه",
    "politics": "politics, elections, parliament, parties · سیاست، انتخابات، مجلس",
    "military": "armed forces, weapons, defence · ارتش، جنگ‌افزار، دفاع",
    "history": "history, ancient times, wars, empires · تاریخ، باستان، جنگ، امپراتوری",
    "geography": "countries, cities, maps, population · جغرافیا، کشور، شهر، نقشه",
    "travel": "travel, hotels, sights, flights · سفر، هتل، دیدنی‌ها، پرواز",
    "transport": "cars, trains, driving, repairs of vehicles · خودرو، قطار، رانندگی، تعمیر خودرو",
    "aviation-ships": "aeroplanes, airports, ships, navigation · هواپیما، فرودگاه، کشتی",
    "building-homes": "houses, construction, heating, plumbing · خانه، ساختمان، گرمایش، لوله‌کشی",
    "household": "cleaning, furniture, appliances, laundry · خانه‌داری، تمیزکاری، لوازم خانگی",
    "crafts-diy": "woodwork, sewing, tools, making things · صنایع دستی، نجاری، خیاطی، ابزار",
    "electronics": "circuits, sensors, soldering, microcontrollers · الکترونیک، مدار، حسگر",
    "engineering": "machines, mechanics, materials, factories · مهندسی، ماشین‌آلات، مواد، کارخانه",
    "energy-environment": "electricity, solar power, recycling, pollution "
    "· برق، انرژی خورشیدی، بازیافت، آلودگی",
    "schools": "schools, lessons, homework, examinations · مدرسه، درس، تکلیف، امتحان",
    "universities-research": "university, research papers, theses · دانشگاه، پژوهش، مقاله، پایان‌نامه",
    "languages": "learning languages, grammar, translation · یادگیری زبان، دستور زبان، ترجمه",
    "literature": "novels, poems, writers, Hafez, Shakespeare · ادبیات، رمان، شعر، حافظ، شاهنامه",
    "writing": "writing texts, letters, style, publishing · نویسندگی، نامه، نگارش، نشر",
    "philosophy": "philosophy, ethics, logic · فلسفه، اخلاق، منطق",
    "religion": "religion, Islam, Christianity, prayer · دین، اسلام، قرآن، نماز",
    "art-design": "painting, sculpture, design, museums · هنر، نقاشی، طراحی، موزه",
    "music": "music, instruments, songs, composers · موسیقی، ساز، ترانه، آهنگ‌ساز",
    "cinema-television": "films, series, actors, directors · سینما، فیلم، سریال، بازیگر",
    "games": "video games, board games, chess · بازی، بازی رایانه‌ای، شطرنج",
    "sports": "football, athletics, matches, clubs · ورزش، فوتبال، مسابقه، باشگاه",
    "fashion-beauty": "clothes, fashion, cosmetics, hair · پوشاک، مد، آرایش، مو",
    "family-relationships": "family, marriage, friendship, love · خانواده، ازدواج، دوستی",
    "news-media": "newspapers, journalism, social media · خبر، روزنامه، رسانه اجتماعی",
    "meetings-projects": "minutes of meetings, projects, plans, schedules · صورت‌جلسه، پروژه، برنامه زمانی",
    "product-manuals": "instruction manual of a device, settings, warranty · دفترچه راهنما، تنظیمات، گارانتی",
}  # fmt: skip
