"""What a new deals database begins with: the pipeline "Sales", with the names workbooks use, and reasons of a loss."""

from __future__ import annotations

from deals.pipelines import NewStage
from deals.records import LOST, OPEN, WON

NAME = "Sales"
NOT_STATED = "not stated"
OTHER = "other"


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split("|"))


# Prospecting, Engaging, presented, pending, declined: as crm-maven-opportunities and sales-pbpython-excel spell them.
STAGES = (
    NewStage("Lead", OPEN, _words(
        "Prospecting|Prospect|New|New lead|Open|First contact|Inquiry|Enquiry|Лид|Новый|Новая|Новая заявка|"
        "Заявка|Обращение|"
        "Первый контакт|Neu|Anfrage|Prospection|Nouveau|Nuevo|Prospecto")),
    NewStage("Qualified", OPEN, _words(
        "Engaging|Engaged|Qualification|Qualifying|Contacted|Discovery|Needs analysis|Meeting|In progress|"
        "In work|Working|"
        "Квалификация|Квалифицирован|В работе|Выявление потребностей|Встреча|Qualifiziert|In Bearbeitung|"
        "Qualifié|Calificado")),
    NewStage("Proposal", OPEN, _words(
        "Presented|Presentation|Proposal sent|Proposition|Quote|Quoted|Quotation|Offer|Offer sent|Предложение|КП|"
        "Коммерческое предложение|КП отправлено|Презентация|Angebot|Proposition envoyée|Propuesta")),
    NewStage("Negotiation", OPEN, _words(
        "Pending|Negotiating|Negotiation/Review|Decision|Contract|Contract sent|Invoice sent|Переговоры|"
        "Согласование|Договор|"
        "Счёт выставлен|Ожидание|Verhandlung|Négociation|Negociación")),
    NewStage("Won", WON, _words(
        "Closed won|Win|Sold|Sale|Paid|Complete|Completed|Delivered|Success|Successful|Выиграна|Выигран|"
        "Выиграно|Успех|Успешно|"
        "Успешно реализовано|Продажа|Продано|Оплачено|Завершена|Gewonnen|Gagné|Ganado")),
    NewStage("Lost", LOST, _words(
        "Closed lost|Lose|Loss|Declined|Rejected|Refused|Cancelled|Canceled|Failed|Проиграна|Проигран|Проиграно|"
        "Потеряна|Отказ|"
        "Отклонено|Отменена|Отменено|Провал|Закрыто и не реализовано|Verloren|Abgelehnt|Perdu|Perdido")),
)  # fmt: skip

LOSS_REASONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("price", _words("Too expensive|Expensive|Price too high|Цена|Дорого|Не устроила цена|Preis|Zu teuer|Prix|"
                     "Precio")),
    ("competitor", _words("Competition|Chose a competitor|Lost to competitor|Конкурент|Конкуренты|Ушёл к конкурентам|"
                          "Выбрали конкурента|Wettbewerber|Konkurrenz|Concurrent|Competidor")),
    ("no need", _words("Not needed|Not interested|No interest|Нет потребности|Не актуально|Неактуально|Не интересно|"
                       "Kein Bedarf|Pas de besoin|Sin necesidad")),
    ("no budget", _words("Budget|No money|Нет бюджета|Нет денег|Бюджет|Kein Budget|Pas de budget|Sin presupuesto")),
    ("timing", _words("Bad timing|Postponed|Not now|Delayed|Сроки|Отложено|Перенос|Позже|Zeitpunkt|Verschoben|"
                      "Délai|Plazo")),
    ("no answer", _words("No response|No reply|Unresponsive|Ghosted|Нет ответа|Не отвечает|Нет связи|Пропал|"
                         "Keine Antwort|Pas de réponse|Sin respuesta")),
    ("product does not fit", _words("Missing features|Quality|Product|No fit|Не подошёл товар|Не подходит|"
                                    "Качество|Ассортимент|"
                                    "Passt nicht|Ne convient pas")),
    ("duplicate or mistake", _words("Duplicate|Mistake|Spam|Дубль|Дубликат|Ошибка|Спам|Doppelt|Doublon|Duplicado")),
    (OTHER, _words("Другое|Прочее|Иное|Andere|Sonstiges|Autre|Otro")),
    (NOT_STATED, _words("Unknown|None stated|Не указано|Не указана|Неизвестно|Nicht angegeben|Non précisé")),
)  # fmt: skip
