"""The kinds of data that can be imported and the fields each knows; the central list for all branches.

Knows no file and no service: names, types and the words under which people write them in several languages.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from units.records import CATALOGUE, CUSTOMER, DEAL, INTERACTION, PLAN, STAFF


class FieldType(StrEnum):
    """How the cells of a field are read and checked."""

    TEXT = "text"
    NUMBER = "number"
    MONEY = "money"
    DATE = "date"
    TIME = "time"
    PHONE = "phone"
    EMAIL = "email"
    FLAG = "flag"
    FRACTION = "fraction"
    PERIOD = "period"
    REFERENCE = "reference"
    PARTED_NAME = "parted_name"


@dataclass(frozen=True)
class Field:
    """One field: `words` are header spellings (any case); `repeats` when several columns may feed it.

    `key` is that of a field of the company's own.
    """

    name: str
    type: FieldType
    description: str
    words: tuple[str, ...] = ()
    required: bool = False
    repeats: bool = False
    key: str = ""


@dataclass(frozen=True)
class Kind:
    """One kind of data. `needs` are groups of fields of which each row must have one."""

    name: str
    description: str
    fields: tuple[Field, ...]
    needs: tuple[tuple[str, ...], ...] = ()

    @property
    def records(self) -> str:
        """The kind of records a run of it makes, for which importing must be granted."""
        return _RECORDS[self.name]

    def field(self, name: str) -> Field | None:
        """The field of that name."""
        return next((one for one in self.fields if one.name == name), None)


ATTRIBUTE = "attribute"
OWN = "attributes."  # begins the name of a field of the company's own
RECORD_TYPES = {"persons": "person", "organizations": "organization"}  # of cards, by the kind whose rows become them
T = FieldType


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split("|") if word.strip())


_OWNER = Field(
    "owner", T.REFERENCE, "Responsible user, by name, login or e-mail",
    _words("owner|employee id|employee key|salesperson id|agent id|owner id|sales agent|sales rep|rep|salesperson|sales person|seller|agent|account manager|responsible|manager|employee|"
           "ответственный|менеджер|продавец|сотрудник|verkäufer|betreuer|verantwortlich|vendeur|commercial|responsable|vendedor|担当者|担当|مسؤول|مدير الحساب|مسئول"),
)  # fmt: skip
_UNIT = Field(
    "unit", T.REFERENCE, "Unit of the row when the file holds several, by path, code or name",
    _words("unit|branch|outlet|office|regional office|store|department|филиал|подразделение|отдел|офис|точка|filiale|niederlassung|abteilung|agence|sucursal|支店|部署|فرع|شعبه"),
)  # fmt: skip
_EXTERNAL = "external_id"
_EXTERNAL_WORDS = "id|external id|number|no|nr|code|key|номер|код|ид|№|nummer|numéro|numero|番号|رقم|شماره"
_PHONE = Field(
    "phone", T.PHONE, "Telephone; several in a cell are taken apart",
    _words("phone|telephone|tel|phone number|telephone number|mobile|mobile phone|mobile number|cell number|cell|cell phone|work phone|home phone|business phone|fax no more|"
           "телефон|тел|тел.|мобильный|моб|моб.|сотовый|раб. тел|рабочий телефон|контактный телефон|телефоны|telefon|telefonnummer|handy|mobil|rufnummer|téléphone|portable|teléfono|móvil|telefone|电话|手机|電話|電話番号|携帯|هاتف|جوال|رقم الهاتف|تلفن|موبایل"),
    repeats=True,
)  # fmt: skip
_EMAIL = Field(
    "email", T.EMAIL, "E-mail; several in a cell are taken apart",
    _words("email|e-mail|mail|email address|e-mail address|emailaddress|эл. почта|электронная почта|почта|имейл|e-mail-adresse|courriel|adresse e-mail|correo|correo electrónico|メール|メールアドレス|电子邮件|邮箱|بريد|البريد الإلكتروني|ایمیل"),
    repeats=True,
)  # fmt: skip
_ADDRESS = (
    Field("street", T.TEXT, "Street and house", _words("street|address|address 1|address 2|address line 1|address line 2|addressline1|addressline2|street address|addr|адрес|улица|straße|strasse|anschrift|adresse|rue|dirección|住所|地址|عنوان|آدرس"), repeats=True),
    Field("city", T.TEXT, "Town", _words("city|town|город|населенный пункт|населённый пункт|ort|stadt|ville|ciudad|都市|市|城市|مدينة|شهر")),
    Field("region", T.TEXT, "State, province or region", _words("region|state|province|state province|state province code|county|область|регион|край|bundesland|région|provincia|都道府県|省|محافظة|استان")),
    Field("postal_code", T.TEXT, "Postal code", _words("postal code|postalcode|postcode|zip|zip code|zipcode|индекс|почтовый индекс|plz|postleitzahl|code postal|código postal|郵便番号|邮编|الرمز البريدي|کد پستی")),
    Field("country", T.TEXT, "Country", _words("country|office location|country code|country region|country-region|страна|land|pays|país|国|国家|دولة|بلد|کشور")),
)  # fmt: skip
_ORGANIZATION_WORDS = (
    "organization|organisation|company|company name|organization name|account|account name|customer|customer name|client|client name|firm|employer|"
    "компания|организация|контрагент|клиент|заказчик|покупатель|фирма|предприятие|наименование организации|место работы|"
    "firma|unternehmen|kunde|kundenname|société|entreprise|client|empresa|cliente|会社|会社名|顧客|公司|客户|شركة|عميل|شرکت|مشتری"
)
_TAX = Field("tax_id", T.TEXT, "Tax id", _words("tax id|tax number|vat|vat id|vat number|tin|ein|инн|ust-id|ustid|umsatzsteuer-id|steuernummer|nif|cif|siret|siren|法人番号|税号|الرقم الضريبي|شناسه ملی"))  # fmt: skip

ORGANIZATIONS = Kind(
    "organizations",
    "Counterparties: companies, institutions",
    (
        Field(_EXTERNAL, T.TEXT, "Number in the source system", _words(_EXTERNAL_WORDS + "|customer id|account id|company id|customerid|reseller key|resellerkey|reselleralternatekey|код контрагента")),
        Field("name", T.TEXT, "Name", _words("name|title|reseller|reseller name|resellername|наименование|название|полное наименование|имя|nom|nombre|名称|اسم|نام|" + _ORGANIZATION_WORDS), required=True),
        _TAX, _PHONE, _EMAIL,
        Field("website", T.TEXT, "Web address", _words("website|web|url|homepage|www|сайт|веб-сайт|webseite|site web|sitio web|ウェブサイト|网站|موقع|وب‌سایت")),
        *_ADDRESS,
        Field("industry", T.TEXT, "Line of business", _words("industry|sector|business type|businesstype|line of business|отрасль|сфера|вид деятельности|branche|secteur|sector|業種|行业|قطاع|صنعت")),
        Field("parent", T.TEXT, "Organization above it", _words("parent|parent company|subsidiary of|subsidiary_of|holding|головная организация|холдинг|muttergesellschaft|konzern")),
        _OWNER,
    ),
)  # fmt: skip
PERSONS = Kind(
    "persons",
    "Persons with their organization",
    (
        Field(_EXTERNAL, T.TEXT, "Number in the source system", _words(_EXTERNAL_WORDS + "|contact id|person id|customer id|businessentityid|prospectivebuyerkey|prospectalternatekey|код контакта")),
        Field("full_name", T.TEXT, "Whole name in one cell", _words("name|full name|fullname|contact|contact name|person|display name|file as|фио|ф.и.о.|фамилия имя отчество|контакт|контактное лицо|vollständiger name|ansprechpartner|nom complet|nombre completo|氏名|名前|姓名|الاسم|الاسم الكامل|نام کامل|نام و نام خانوادگی")),
        Field("given_name", T.TEXT, "Given name", _words("given name|first name|firstname|forename|имя|vorname|prénom|nombre|名|الاسم الأول|نام")),
        Field("middle_name", T.TEXT, "Middle name or patronymic", _words("middle name|middlename|middle|additional name|patronymic|отчество|zweiter vorname|ミドルネーム|اسم الأب")),
        Field("family_name", T.TEXT, "Family name", _words("family name|last name|lastname|surname|фамилия|nachname|familienname|nom de famille|apellido|apellidos|姓|اسم العائلة|نام خانوادگی")),
        Field("parted_name", T.PARTED_NAME, "Whole name, to be parted into given, middle and family name"),
        Field("birth_date", T.DATE, "Day of birth", _words("birth date|birthdate|date of birth|dob|birthday|дата рождения|день рождения|geburtsdatum|geburtstag|date de naissance|fecha de nacimiento|生年月日|出生日期|تاريخ الميلاد|تاریخ تولد")),
        _PHONE, _EMAIL,
        Field("organization", T.TEXT, "Name of the person's organization", _words(_ORGANIZATION_WORDS)),
        Field("organization_tax_id", T.TEXT, "Tax id of that organization", _words("company tax id|organization tax id|company vat|инн организации|инн компании")),
        Field("organization_external_id", T.TEXT, "Number of that organization in the source system", _words("company id|organization id|organisation id|account id|код организации|код компании")),
        Field("role", T.TEXT, "Role in the organization", _words("role|job title|jobtitle|position|title|organization title|occupation|должность|роль|funktion|rolle|berufsbezeichnung|fonction|poste|cargo|puesto|役職|职位|المنصب|سمت")),
        Field("tax_id", T.TEXT, "Tax id of the person", _words("personal tax id|инн физлица|инн|steuer-id")),
        *_ADDRESS, _OWNER,
        Field("note", T.TEXT, "Note kept as a further fact", _words("note|notes|comment|remark|примечание|комментарий|заметка|bemerkung|notiz|remarque|nota|備考|备注|ملاحظات|یادداشت")),
    ),
    needs=(("full_name", "given_name", "family_name"),),
)  # fmt: skip
PRODUCTS = Kind(
    "products",
    "Products with unit of measure and price",
    (
        Field("name", T.TEXT, "Name", _words("name|product|product name|productname|item|title|description|наименование|название|товар|продукт|номенклатура|услуга|artikel|produkt|bezeichnung|produit|désignation|producto|製品|商品|商品名|产品|منتج|اسم المنتج|محصول|کالا"), required=True),
        Field("code", T.TEXT, "Article number", _words("code|sku|article|article number|product id|productid|product key|productkey|id|no|артикул|код|код товара|artikelnummer|référence|código|品番|编号|رمز|کد")),
        Field("category", T.TEXT, "Group of products", _words("category|series|group|product group|subcategory|line|категория|группа|серия|kategorie|warengruppe|catégorie|categoría|カテゴリ|类别|فئة|دسته")),
        Field("unit_of_measure", T.TEXT, "Unit of measure", _words("unit|unit of measure|uom|measure|quantity per unit|единица|ед. изм.|ед.изм.|единица измерения|einheit|mengeneinheit|unité|unidad|単位|单位|وحدة|واحد")),
        Field("fraction_allowed", T.FLAG, "Whether a quantity may have a fraction", _words("fraction|fractions|fraction allowed|divisible|дробное|дробность|teilbar")),
        Field("list_price", T.MONEY, "List price", _words("price|list price|unit price|sales price|sales_price|standard price|цена|прайс|стоимость|preis|listenpreis|prix|precio|価格|单价|価格表|سعر|قیمت")),
        Field("currency", T.TEXT, "Currency of the price", _words("currency|currency code|валюта|währung|devise|moneda|通貨|货币|عملة|ارز")),
    ),
)  # fmt: skip
DEALS = Kind(
    "deals",
    "Deals with organization, owner, stage, dates and amounts; rows with the same number are lines of one deal",
    (
        Field(_EXTERNAL, T.TEXT, "Number of the deal or order; rows with the same number are one deal", _words("deal id|deal|deal number|opportunity id|opportunity_id|opportunity|order id|orderid|order number|order no|order|sales order number|salesordernumber|invoice|invoice number|invoice no|номер сделки|номер заказа|сделка|заказ|номер счета|счет|auftrag|auftragsnummer|bestellnummer|rechnungsnummer|commande|numéro de commande|pedido|案件番号|注文番号|订单号|رقم الطلب|شماره سفارش|" + _EXTERNAL_WORDS)),
        Field("title", T.TEXT, "What it is about", _words("title|subject|deal name|opportunity name|тема|название|название сделки|bezeichnung|betreff|titre|objet|asunto|件名|标题|عنوان|موضوع")),
        Field("organization", T.TEXT, "Organization, by name", _words(_ORGANIZATION_WORDS)),
        Field("organization_tax_id", T.TEXT, "Tax id of the organization", _words("tax id|инн|vat id|ust-id")),
        Field("organization_external_id", T.TEXT, "Number of the organization in the source system", _words("account number|account id|customer id|customerid|customer_id|company id|client id|reseller key|resellerkey|код клиента|код контрагента|kundennummer")),
        Field("person", T.TEXT, "Person, by name", _words("contact|contact name|person|контакт|контактное лицо|ansprechpartner|担当者様")),
        Field("phone", T.PHONE, "Telephone of the person", _words("phone|telephone|телефон|telefon|téléphone|電話")),
        Field("email", T.EMAIL, "E-mail of the person", _words("email|e-mail|почта|электронная почта")),
        _OWNER, _UNIT,
        Field("stage", T.REFERENCE, "Stage or status", _words("stage|deal stage|deal_stage|status|state|phase|step|этап|стадия|статус|состояние|stufe|phase|étape|statut|etapa|estado|ステージ|段階|状態|阶段|状态|مرحلة|الحالة|مرحله|وضعیت")),
        Field("open_date", T.DATE, "Day it was opened", _words("open date|engage date|engage_date|created|created date|create date|start date|order date|orderdate|date|invoice date|дата|дата создания|дата открытия|дата начала|дата заказа|datum|auftragsdatum|bestelldatum|erstellt am|date de commande|date d'ouverture|fecha|fecha de pedido|開始日|注文日|日付|日期|开始日期|تاريخ|تاريخ البدء|تاریخ|تاریخ شروع")),
        Field("close_date", T.DATE, "Day it was won or lost", _words("close date|close_date|closed|closed date|end date|won date|sale date|sales date|дата закрытия|дата продажи|дата окончания|abschlussdatum|verkaufsdatum|date de clôture|fecha de cierre|成約日|完了日|关闭日期|تاريخ الإغلاق|تاریخ پایان")),
        Field("expected_close_date", T.DATE, "Day it is expected to be won", _words("expected close|expected close date|expected date|estimated close|estimated close date|forecast close date|планируемая дата закрытия|плановая дата закрытия|ожидаемая дата закрытия|ожидаемая дата|план закрытия|voraussichtlicher abschluss|erwartetes abschlussdatum|date de clôture prévue|fecha prevista|fecha de cierre prevista|予定日|完了予定日|预计成交日期|预计关闭日期|تاريخ الإغلاق المتوقع")),
        Field("amount", T.MONEY, "Value of the row", _words("amount|value|close value|close_value|total|sum|revenue|sales|sales amount|ext price|ext_price|extended price|deal amount|net|сумма|стоимость|выручка|сумма сделки|итого|betrag|umsatz|summe|wert|montant|chiffre d'affaires|importe|valor|ventas|金額|売上|金额|销售额|مبلغ|قيمة|المبلغ|ارزش")),
        Field("currency", T.TEXT, "Currency", _words("currency|currency code|валюта|währung|devise|moneda|通貨|货币|عملة|ارز")),
        Field("product", T.REFERENCE, "Product, by name or number", _words("product|product name|item|sku|product id|productid|product_id|product key|productkey|товар|продукт|номенклатура|артикул|услуга|produkt|artikel|produit|producto|製品|商品|产品|المنتج|محصول|کالا")),
        Field("quantity", T.NUMBER, "Quantity", _words("quantity|qty|units|pieces|count|order quantity|количество|кол-во|кол.|штук|шт|продано|menge|anzahl|stückzahl|quantité|cantidad|数量|件数|كمية|الكمية|تعداد|مقدار")),
        Field("unit_price", T.MONEY, "Price of one", _words("unit price|unitprice|unit_price|price|цена|цена за единицу|preis|einzelpreis|stückpreis|prix unitaire|precio|precio unitario|単価|单价|سعر الوحدة|قیمت واحد|قیمت")),
        Field("discount", T.FRACTION, "Discount: 0.15, 15% or 15", _words("discount|скидка|rabatt|remise|descuento|値引|割引|折扣|خصم|تخفیف")),
        Field("loss_reason", T.TEXT, "Reason of a loss", _words("loss reason|lost reason|reason|причина|причина отказа|причина проигрыша|verlustgrund|raison|motivo|失注理由|原因|سبب|دلیل")),
        Field("loss_comment", T.TEXT, "Comment on the loss", _words("loss comment|lost comment|комментарий к отказу")),
        Field("business_line", T.TEXT, "Line of business", _words("business line|line of business|направление|вид бизнеса|geschäftsbereich")),
    ),
)  # fmt: skip
PLANS = Kind(
    "plans",
    "Planned figures by period, unit, person and product",
    (
        _UNIT, _OWNER,
        Field("product", T.REFERENCE, "Product; empty means all", _words("product|товар|продукт|produkt|artikel|produit|producto|製品|产品|منتج|محصول")),
        Field("period", T.PERIOD, "Month, quarter or year: 2024-05, 05.2024, May 2024, Q2 2024, 2024", _words("period|month|quarter|year|target month|targetmonth|date|период|месяц|квартал|год|дата|monat|quartal|jahr|periode|zeitraum|mois|trimestre|année|mes|periodo|月|年月|期間|期间|月份|شهر|فترة|دوره|ماه")),
        Field("start_date", T.DATE, "First day, with end_date instead of a period", _words("start date|from|начало|с|von|beginn|début|inicio")),
        Field("end_date", T.DATE, "Last day", _words("end date|to|until|конец|по|bis|ende|fin")),
        Field("amount", T.MONEY, "Planned money", _words("amount|plan|target|target amount|sales quota|quota|budget|revenue|goal|plan amount|sales amount quota|salesamountquota|план|план продаж|план, руб|сумма|выручка|цель|soll|ziel|plan umsatz|budget|objectif|objetivo|meta|目標|計画|予算|目标|计划|هدف|خطة|هدف فروش")),
        Field("quantity", T.NUMBER, "Planned quantity", _words("quantity|qty|units|plan quantity|target units|количество|план, шт|план шт|кол-во|menge|anzahl|quantité|cantidad|数量|كمية|تعداد")),
        Field("currency", T.TEXT, "Currency", _words("currency|currency code|валюта|währung|devise|moneda|通貨|货币|عملة|ارز")),
    ),
    needs=(("amount", "quantity"), ("period", "start_date")),
)  # fmt: skip
INTERACTIONS = Kind(
    "interactions",
    "Calls, meetings, letters and notes with their original times and authors",
    (
        Field(_EXTERNAL, T.TEXT, "Number in the source system", _words(_EXTERNAL_WORDS)),
        Field("kind", T.TEXT, "call, meeting, email, chat or note", _words("kind|type|channel|activity type|вид|тип|канал|art|typ|canal|tipo|種別|类型|نوع")),
        Field("occur_time", T.TIME, "When it took place", _words("time|date|datetime|date time|when|occurred|дата|дата и время|время|datum|zeit|datum und uhrzeit|date et heure|fecha|fecha y hora|日時|日付|时间|日期|وقت|تاريخ|زمان|تاریخ"), required=True),
        Field("author", T.REFERENCE, "Who had it", _words("author|user|employee|by|owner|agent|автор|сотрудник|менеджер|ответственный|verfasser|mitarbeiter|bearbeiter|auteur|autor|担当者|作成者|作者|كاتب|موظف|نویسنده")),
        Field("person", T.TEXT, "Person, by name", _words("person|contact|contact name|name|клиент|контакт|контактное лицо|фио|person|ansprechpartner|contact|contacto|氏名|联系人|شخص|مخاطب")),
        _PHONE, _EMAIL,
        Field("organization", T.TEXT, "Organization, by name", _words(_ORGANIZATION_WORDS)),
        Field("summary", T.TEXT, "What was said", _words("summary|note|notes|text|comment|description|subject|содержание|комментарий|заметка|итог|описание|текст|тема|notiz|inhalt|bemerkung|résumé|commentaire|resumen|nota|内容|メモ|备注|ملخص|ملاحظات|خلاصه|شرح"), required=True),
        Field("outcome", T.TEXT, "Result", _words("outcome|result|disposition|результат|исход|ergebnis|résultat|resultado|結果|结果|نتيجة|نتیجه")),
    ),
    needs=(("person", "phone", "email", "organization"),),
)  # fmt: skip
EMPLOYEES = Kind(
    "employees",
    "Users of the organization with their unit",
    (
        Field("name", T.TEXT, "Name", _words("name|full name|employee|sales agent|salesperson|seller|agent|фио|ф.и.о.|сотрудник|имя|mitarbeiter|nom|nombre|氏名|姓名|الاسم|نام")),
        Field("given_name", T.TEXT, "Given name", PERSONS.fields[2].words),
        Field("family_name", T.TEXT, "Family name", PERSONS.fields[4].words),
        Field("number", T.TEXT, "Number of the user in the source system", _words("employee id|employeeid|employee_id|employee key|employeekey|number|id|no|табельный номер|номер|personalnummer|matricule"), repeats=True),
        Field("email", T.EMAIL, "Work e-mail", _words("email|e-mail|email address|upn|почта|электронная почта|courriel|correo|メール|邮箱|بريد|ایمیل")),
        Field("unit", T.REFERENCE, "Unit of the position", (*_UNIT.words, "manager", "team", "команда", "руководитель")),
        Field("title", T.TEXT, "Title of the position", _words("title|job title|position|должность|funktion|fonction|cargo|役職|职位|المنصب|سمت")),
        Field("role", T.TEXT, "seller, head, steward, administrator or none", _words("role|access|роль|rolle|rôle|rol|権限|角色|دور|نقش")),
    ),
    needs=(("name", "given_name", "family_name"),),
)  # fmt: skip

_RECORDS = {
    "organizations": CUSTOMER,
    "persons": CUSTOMER,
    "products": CATALOGUE,
    "deals": DEAL,
    "plans": PLAN,
    "interactions": INTERACTION,
    "employees": STAFF,
}
KINDS = {one.name: one for one in (ORGANIZATIONS, PERSONS, PRODUCTS, DEALS, PLANS, INTERACTIONS, EMPLOYEES)}
