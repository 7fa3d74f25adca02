//! Writes the hospital into an empty installation. Ids come from a seeded source, so that every demo has the same doctors behind the
//! same addresses; keys and password salts come from the app's own.

use super::{
    PASSWORD, REVIEWER, doctor_account,
    hospital::{self, Content, Department, Doctor},
};
use crate::{
    accounts::{NewAccount, Phone, StaffFunction, insert_account},
    catalogue::{self, DepartmentId, DiseaseId},
    consultations::{Channel, Kind},
    db::{DbError, Tx},
    doctors::{self, DoctorId, NewDoctor, Period, Price, PriceBand, Title},
    http::Problem,
    keys::Place,
    state::App,
};
use chat::{
    entropy::Entropy,
    ids::{Role, Timestamp, UserId},
};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
const HOUR: i64 = 60;
/// Fen.
const YUAN: i64 = 100;

/// Fills the installation unless somebody has; true when it did.
pub async fn fill(app: &App) -> Result<bool, Problem> {
    Ok(fill_as_of(app, app.clock.now()).await?.is_some())
}

/// Who was made.
pub(super) struct People {
    /// In the order of their numbers.
    pub doctors: Vec<UserId>,
    pub patients: Vec<UserId>,
    pub reviewer: UserId,
}

/// The same, with announcements dated back from that moment. None: it was filled already.
pub(super) async fn fill_as_of(app: &App, announced: Timestamp) -> Result<Option<People>, Problem> {
    if catalogue::find_hospital(app).await?.is_some() {
        return Ok(None);
    }
    let content = hospital::hospital();
    // Hashed once: argon2 is slow on purpose, and these passwords are printed on the screen anyway.
    let password_hash = app.passwords.hash(&app.entropy, PASSWORD).await?;
    let filler = Filler { app, content, ids: Entropy::seeded(app.config.seed), password_hash, now: app.clock.now(), announced };
    // Keys have a store of their own; made before the transaction, in one write.
    let people = filler.people();
    app.keys.prepare_people(people.clone()).await?;
    let mut tx = app.db.begin().await?;
    filler.hospital(&mut tx).await?;
    filler.bands(&mut tx).await?;
    let departments = filler.departments(&mut tx).await?;
    for ((number, department, doctor), user) in content.numbered_doctors().zip(&people) {
        let place = departments.iter().find(|place| place.code == department.code).ok_or_else(Problem::not_found)?;
        filler.doctor(&mut tx, *user, number, doctor, place).await?;
    }
    filler.patients_and_staff(&mut tx, &people[content.numbered_doctors().count()..]).await?;
    catalogue::touch(&mut tx, app.tenant).await?;
    app.commit(tx).await?;
    tracing::info!(doctors = content.numbered_doctors().count(), departments = content.departments.len(), "demo.filled");
    let (doctors, others) = people.split_at(content.numbered_doctors().count());
    let (patients, reviewer) = others.split_at(content.patients.len());
    Ok(Some(People { doctors: doctors.to_vec(), patients: patients.to_vec(), reviewer: reviewer[0] }))
}

struct Filler<'a> {
    app: &'a App,
    content: &'static Content,
    ids: Entropy,
    password_hash: String,
    now: Timestamp,
    announced: Timestamp,
}

/// A department that was written.
struct Placed {
    code: &'static str,
    id: DepartmentId,
    diseases: Vec<(DiseaseId, &'static str)>,
}

impl Filler<'_> {
    /// Ids of doctors, patients and the reviewer, in that order.
    fn people(&self) -> Vec<UserId> {
        let count = self.content.numbered_doctors().count() + self.content.patients.len() + 1;
        (0..count).map(|_| self.id()).collect()
    }

    /// From a fixed moment, not from now: the id would differ from demo to demo.
    fn id<T: From<uuid::Uuid>>(&self) -> T {
        self.ids.id(Timestamp(1_767_225_600_000))
    }

    async fn hospital(&self, tx: &mut Tx) -> Result<(), DbError> {
        let (tenant, from) = (self.app.tenant, &self.content.hospital);
        let hospital = catalogue::Hospital {
            id: tenant.0,
            name: from.name.clone(),
            grade: from.grade.clone(),
            introduction: from.introduction.clone(),
            address: from.address.clone(),
            phone: from.phone.clone(),
            emergency_phone: from.emergency_phone.clone(),
            website: from.website.clone(),
            service_hours: from.service_hours.clone(),
        };
        catalogue::insert_hospital(tx, tenant, &hospital).await?;
        for (position, service) in (1..).zip(&self.content.services) {
            let row =
                catalogue::SpecialService { code: service.code.clone(), name: service.name.clone(), summary: service.summary.clone() };
            catalogue::insert_special_service(tx, tenant, self.id(), &row, position).await?;
        }
        for announcement in &self.content.announcements {
            let at = self.announced.plus_ms(-announcement.days_ago * DAY_MS);
            catalogue::insert_announcement(tx, tenant, self.id(), &announcement.title, &announcement.text, at).await?;
        }
        Ok(())
    }

    /// seniors may ask more, a picture of a face more than letters.
    async fn bands(&self, tx: &mut Tx) -> Result<(), DbError> {
        for title in Title::ALL {
            for (kind, channel) in services() {
                let (min_fen, max_fen) = band(*title, channel);
                doctors::insert_band(tx, self.app.tenant, *title, &PriceBand { kind, channel, min_fen, max_fen }).await?;
            }
        }
        Ok(())
    }

    async fn departments(&self, tx: &mut Tx) -> Result<Vec<Placed>, DbError> {
        let mut placed = Vec::new();
        for (position, department) in (1..).zip(&self.content.departments) {
            placed.push(self.department(tx, department, position).await?);
        }
        Ok(placed)
    }

    async fn department(&self, tx: &mut Tx, department: &'static Department, position: i64) -> Result<Placed, DbError> {
        let row = catalogue::Department {
            id: self.id(),
            code: department.code.clone(),
            name: department.name.clone(),
            category: department.category.clone(),
            summary: department.summary.clone(),
            hot: department.hot,
            doctor_count: 0,
        };
        catalogue::insert_department(tx, self.app.tenant, &row, position).await?;
        let mut diseases = Vec::new();
        for (code, name) in &department.diseases {
            let id = self.id();
            catalogue::insert_disease(tx, self.app.tenant, id, row.id, code, name).await?;
            diseases.push((id, name.as_str()));
        }
        Ok(Placed { code: &department.code, id: row.id, diseases })
    }

    async fn doctor(&self, tx: &mut Tx, user: UserId, number: usize, doctor: &Doctor, place: &Placed) -> Result<(), Problem> {
        self.account(
            tx,
            NewAccount {
                account_name: Some(doctor_account(number)),
                name: Some(doctor.name.clone()),
                sex: Some(doctor.sex),
                ..self.nobody(user, Role::Doctor)
            },
        )
        .await?;
        let id: DoctorId = self.id();
        let licence = format!("1103501{:08}", 20_260_000 + number);
        let key = self.app.keys.person(user).await?;
        let sealed = key.seal(&self.app.entropy, Place { table: "doctors", column: "licence_number", row: id.0 }, licence.as_bytes());
        let new = NewDoctor {
            id,
            user,
            department: place.id,
            name: doctor.name.clone(),
            title: doctor.title,
            hospital: self.content.hospital.name.trim_end_matches("互联网医院").to_owned(),
            licence_number_sealed: sealed,
            licence_number_masked: format!("{}*******{}", &licence[..4], &licence[11..]),
            expertise: doctor.expertise.clone(),
            biography: biography(doctor, number),
            hot_rank: (number % 5 == 1).then(|| i64::try_from(number).unwrap_or(i64::MAX)),
            diseases: treated(doctor, number, place),
        };
        doctors::insert_doctor(tx, self.app.tenant, &new, self.now).await?;
        for price in prices(doctor.title, number) {
            doctors::insert_price(tx, id, &price).await?;
        }
        for period in hours(number) {
            doctors::insert_hours(tx, id, period).await?;
        }
        Ok(())
    }

    async fn patients_and_staff(&self, tx: &mut Tx, ids: &[UserId]) -> Result<(), Problem> {
        for (patient, user) in self.content.patients.iter().zip(ids) {
            self.account(
                tx,
                NewAccount {
                    phone: Phone::parse(&patient.phone),
                    name: Some(patient.name.clone()),
                    sex: Some(patient.sex),
                    birth_date: Some(patient.birth_date.clone()),
                    ..self.nobody(*user, Role::Patient)
                },
            )
            .await?;
        }
        let reviewer = ids[self.content.patients.len()];
        self.account(
            tx,
            NewAccount {
                account_name: Some(REVIEWER.into()),
                name: Some("评价审核员".into()),
                functions: vec![StaffFunction::Reviewer],
                ..self.nobody(reviewer, Role::Staff)
            },
        )
        .await
    }

    fn nobody(&self, id: UserId, role: Role) -> NewAccount {
        NewAccount {
            id,
            tenant: self.app.tenant,
            role,
            account_name: None,
            phone: None,
            name: None,
            sex: None,
            birth_date: None,
            password_hash: Some(self.password_hash.clone()),
            functions: Vec::new(),
        }
    }

    async fn account(&self, tx: &mut Tx, new: NewAccount) -> Result<(), Problem> {
        // Somebody registered with a demo number before the demo was filled: he keeps it.
        insert_account(self.app, tx, &new).await.map(drop)
    }
}

fn services() -> impl Iterator<Item = (Kind, Channel)> {
    let channels = [Channel::Text, Channel::Voice, Channel::Video];
    [Kind::Advice, Kind::ReturnVisit].into_iter().flat_map(move |kind| channels.into_iter().map(move |channel| (kind, channel)))
}

/// Lowest and highest price in fen.
fn band(title: Title, channel: Channel) -> (i64, i64) {
    let (low, high) = match title {
        Title::ChiefPhysician => (30, 100),
        Title::AssociateChiefPhysician => (20, 80),
        Title::AttendingPhysician => (10, 50),
        Title::ResidentPhysician => (1, 20),
    };
    let factor = match channel {
        Channel::Text => 1,
        Channel::Voice => 2,
        Channel::Video => 3,
    };
    (low * factor * YUAN, high * factor * YUAN)
}

/// Every doctor writes; every fourth does without video.
fn prices(title: Title, number: usize) -> Vec<Price> {
    let offered = services().filter(|(_, channel)| *channel != Channel::Video || !number.is_multiple_of(4));
    offered
        .map(|(kind, channel)| {
            let (min_fen, max_fen) = band(title, channel);
            let step = i64::try_from(number % 5).unwrap_or(0) + i64::from(kind == Kind::ReturnVisit);
            Price { kind, channel, amount_fen: min_fen + (max_fen - min_fen) / 10 / YUAN * YUAN * step }
        })
        .collect()
}

/// The first of each department around the clock, so that somebody can be online at any hour; the second by day, the third in the evening.
fn hours(number: usize) -> Vec<Period> {
    let period = |weekday, start: i64, end: i64| Period { weekday, start_minute: start, end_minute: end };
    match number % 3 {
        1 => (1..=7).map(|day| period(day, 0, 24 * HOUR)).collect(),
        2 => (1..=5).flat_map(|day| [period(day, 8 * HOUR, 12 * HOUR), period(day, 14 * HOUR, 17 * HOUR + 30)]).collect(),
        _ => {
            let evenings = (1..=7).map(|day| period(day, 18 * HOUR, 24 * HOUR));
            evenings.chain([period(6, 9 * HOUR, 12 * HOUR), period(7, 9 * HOUR, 12 * HOUR)]).collect()
        }
    }
}

fn biography(doctor: &Doctor, number: usize) -> String {
    let schools = ["云湖医科大学", "江南医学院", "东海大学医学部", "华中医学院"];
    let degree = if doctor.years > 20 { "硕士" } else { "博士" };
    let school = schools[number % schools.len()];
    format!("{school}{degree}，从事临床工作 {} 年。{}", doctor.years, doctor.about)
}

/// What his expertise names, and two more of the department.
fn treated(doctor: &Doctor, number: usize, place: &Placed) -> Vec<DiseaseId> {
    let named = |name: &str| name.chars().collect::<Vec<_>>().windows(2).any(|pair| doctor.expertise.contains(&String::from_iter(pair)));
    let chosen = |index: usize| (index + number).is_multiple_of(3);
    let diseases = place.diseases.iter().enumerate();
    diseases.filter(|(index, (_, name))| named(name) || chosen(*index)).map(|(_, (id, _))| *id).collect()
}
