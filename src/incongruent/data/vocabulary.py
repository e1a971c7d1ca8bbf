"""Vocabulary: what columns and codes are called in files, in several languages.

These tables are all that the reader knows in advance; a `Coding` takes precedence over them. Names
and words are written as `plain` returns them: without case, spaces and punctuation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence


def _words(text: str) -> tuple[str, ...]:
    """The words of a text, in their order."""
    return tuple(text.split())


# --- names of columns; a name in an earlier tuple is preferred to those in later ones -------------

SUBJECT_NAMES = (
    _words("subject"),
    _words("""
        participant person sub subj subid subjid subno subnr subnum subnumber id uid userid workerid
        subjectid subjectno subjectnr subjectnum subjectnumber participantid participantno
        participantnr participantnum participantnumber participantprivateid participantpublicid
        personid pid pp ppid ppn ppnr ppt pptid prolificid vp vpid vpn vpnr vpnummer vpcode proband
        probandid probandin versuchsperson subjects participants ss respondent observer worker user
        subjectcode participantcode subjidx participante sujeto sujet participantnummer proefpersoon
        soggetto partecipante sujeito deltager deltagare badany osoba katilimci 被试 被试编号 参加者
        被験者 испытуемый участник versuchspersonnr teilnehmer
    """),
)
RT_NAMES = (
    _words("rt"),
    _words("""
        rts rtime reactiontime reactiontimes responsetime responsetimes resptime latency
        responselatency resprt reaktionszeit reaktionszeiten rz antwortzeit latenz tr
        tempsdereaction tempsdereponse tiempodereaccion tiempoderespuesta tempodireazione
        tempoderesposta tempodereacao reactietijd reaktionstid latence latencia czasreakcji
        tepkisuresi 反应时 反应时间 反応時間 времяреакции respms rtms
    """),
)
ACCURACY_NAMES = (
    _words("accuracy acc"),
    _words("""
        correct corr iscorrect correctness responsecorrect responseaccuracy respcorr wascorrect
        correctresp korrekt richtig genauigkeit acierto aciertos correcto correcta precision
        exactitude correcte juste correto acerto corretto accuratezza nauwkeurigheid juist
        poprawnosc poprawna dogru 正确 正确率 正答 правильность точность isaccurate hit
    """),
)
ERROR_NAMES = (
    _words("error err"),
    _words("""
        errors iserror incorrect mistake wrong fehler falsch erreur errore errores erro fout blad
        isincorrect 错误 誤答 ошибка hata fel fejl feil
    """),
)
OUTCOME_NAMES = _words("response outcome result status responsetype feedback resp")
"""Taken for the accuracy only when the values are words for it, such as correct and error."""
CODED_OUTCOME_NAMES = _words("status outcome result feedback responsetype errorcode answerstatus")
"""Taken for the accuracy when the values are two or three numbers; the user says what they mean."""
CONGRUENT_NAMES = _words("""
    congruent iscongruent congr cong compatible iscompatible corresponding kongruent kompatibel
    congruente match matching compatibile zgodny uyumlu
""")
"""Columns in which True, or 1 beside 0, can only mean congruent."""
REVERSED_NAMES = _words("""
    incongruent isincongruent incongruency incong incongr incompatible incomp conflict isconflict
    inkongruent inkompatibel incongruente mismatch noncorresponding
""")
"""Columns in which True, or 1 beside 0, can only mean incongruent."""
CONDITION_NAMES = (
    *_words("""
        condition conditions cond congruency congruence compatibility compat comp correspondence
        trialtype trialcondition type stimtype stimulustype stimcond stimuluscondition itemtype
        trialcat flanker flankers flankertype flankercondition kongruenz kompatibilität
        kompatibilitat bedingung bedingungen condicion condición congruencia compatibilidad
        condizione congruenza compatibilita condiçao condição condicao conditie congruentie zgodnosc
        warunek kosul uyumluluk 条件 一致性 条件类型 условие
    """),
    *CONGRUENT_NAMES,
    *REVERSED_NAMES,
)
AGGREGATE_TOKENS = frozenset(
    _words("""
        average avg mean total sum cumulative cum running median sd var max min prev previous next
        lag last first count number n log
    """)
)
"""Parts of a name which say that the column summarises other trials, or is about another trial."""
PERSON_ATTRIBUTES = _words("""
    group grp gruppe grupo groupe gruppo groep cohort sample population site lab age alter edad sex
    gender geschlecht sexo handedness file filename source diagnosis patient study experiment exp
""")
"""What each person has only one of: two values within one "person" are most likely two people."""

# --- words in cells -------------------------------------------------------------------------------

CONDITION_WORDS = {
    "congruent": _words("""
        congruent congr cong con c compatible compat comp com same match matching corresponding
        consistent kongruent kompatibel k kong congruente compatibile compatível compativel congrue
        congru zgodny zgodna uyumlu 一致 конгруэнтный конгруэнтная kongruentti cngruent cgt gelijk
    """),
    "incongruent": _words("""
        incongruent incongr incong incon inc i ic incompatible incompat incomp different diff
        mismatch mismatching noncorresponding noncongruent noncompatible notcongruent inconsistent
        inkongruent inkompatibel ik inkong ink incongruente incompatibile incompatível incompativel
        incongru incongrue niezgodny niezgodna uyumsuz 不一致 неконгруэнтный неконгруэнтная conflict
        conflicting ongelijk notcompatible
    """),
    "neutral": _words("""
        neutral neut neu n neutro neutre neutra neutralny neutralna neutraal nötr 中性 中立
        нейтральный
    """),
}
OUTCOME_WORDS = {
    "correct": _words("""
        correct corr right hit accurate richtig korrekt correcto correcta acierto correcte juste
        corretto corretta giusto certo correto correta acerto juist goed poprawna poprawny doğru
        dogru rätt 正确 正解 正答 верно правильно correctresponse success
    """),
    "error": _words("""
        error err incorrect wrong mistake falsealarm commission commissionerror inaccurate falsch
        fehler inkorrekt incorrecto incorrecta fallo erreur incorrecte sbagliato errato errore
        scorretto errado erro incorreto incorreta fout onjuist blad błąd yanlış yanlis fel 错误 誤答
        不正解 неверно ошибка wrongkey wrongresponse errorresponse failure fail
    """),
    "omission": _words("""
        omission omissionerror omitted timeout timedout noresponse noanswer noresp nonresponse
        tooslow slow late toolate missed keineantwort zuspät zuspaet zulangsam omision omisión
        omissão sinrespuesta pasderéponse pasdereponse troplent omissione semresposta geenantwoord
        telaat brakodpowiedzi 未反应 无反应 無反応 無回答 пропуск deadline
    """),
}
EITHER_ERROR_OR_OMISSION = _words("miss misses fail failed")
"""An error where the trial has a reaction time, an omission where it has none."""
YES = _words("1 true yes y t ja j oui sí si sì sim tak evet да 是 はい wahr vrai vero verdadero")
NO = _words(
    "0 false no n f nein nee non não nao nie hayır hayir нет 否 いいえ faux falso nej unwahr"
)
PRACTICE_WORDS = _words("""
    practice prac pract practise training train warmup demo tutorial familiarization familiarisation
    übung uebung ubung práctica practica entrenamiento entraînement entrainement pratica prática
    oefenen trening
""")

# --- names of columns that divide a person's trials -----------------------------------------------

TASK_NAMES = _words("""
    task taskname experiment experimentname exp paradigm test aufgabe tarea tâche tache compito
""")
SESSION_NAMES = _words("""
    session ses sess sessionid sessionnumber sitzung visit day timepoint wave sesion séance
""")
BLOCK_NAMES = _words("""
    block blocks run trial trials bloc bloque blok miniblock blocknumber quarter half
""")
"""These divide the trials of a person in every study, so no note mentions them."""

# --- how names and words are compared -------------------------------------------------------------

NEGATIONS = frozenset(_words("not non no in un nicht kein"))
"""Parts of a label which say that its other parts do not hold."""


def plain(name: str) -> str:
    """The name without case, spaces and punctuation."""
    return re.sub(r"[\W_]", "", name.casefold())


def tokens(name: str) -> list[str]:
    """The parts of a name, without case.

    A name is cut at punctuation, at digits, and where a capital letter follows a small one.

    >>> tokens("compFlanker_2")
    ['comp', 'flanker', '2']
    """
    spread = re.sub(r"(?<=[a-zß-ÿ])(?=[A-Z])|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])", " ", name)
    return [part.casefold() for part in re.split(r"[\W_]+", spread) if part]


def _by_word(groups: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The meaning of each word, from the words of each meaning."""
    return {plain(word): meaning for meaning, group in groups.items() for word in group}


CONDITION_MEANING, OUTCOME_MEANING = _by_word(CONDITION_WORDS), _by_word(OUTCOME_WORDS)
"""The meaning of each plain word."""


def word_meaning(label: str, meaning: Mapping[str, str]) -> str | None:
    """What a label means, or None when that is not known.

    The label as a whole is looked up first, then its parts of more than two letters: these have to
    agree with each other, and none of them may be a negation.

    >>> word_meaning("Congruent, left", CONDITION_MEANING)
    'congruent'
    >>> word_meaning("not congruent", CONDITION_MEANING)
    'incongruent'
    """
    if (of_all := meaning.get(plain(label))) is not None:
        return of_all
    parts = tokens(label)
    found = {meaning[part] for part in parts if len(part) > 2 and part in meaning}
    return found.pop() if len(found) == 1 and not NEGATIONS & set(parts) else None
