//! SQL of the catalogue. Public data of one hospital: filtered by tenant, not by actor.

use super::model::{Announcement, Department, DepartmentId, Disease, DiseaseId, Hospital, SpecialService};
use crate::{
    db::{DbError, Tx},
    sql,
    state::App,
};
use chat::ids::{TenantId, Timestamp};

const ANNOUNCEMENTS_SHOWN_MAX: i64 = 5;

pub(crate) async fn find_hospital(app: &App) -> Result<Option<Hospital>, DbError> {
    app.db
        .first(sql!(
            "SELECT tenant_id AS id, name, grade, introduction, address, phone, emergency_phone, website, service_hours
             FROM hospitals WHERE tenant_id = $1",
            app.tenant
        ))
        .await
}

/// In the order of the list, with how many doctors each has.
pub(crate) async fn departments(app: &App) -> Result<Vec<Department>, DbError> {
    app.db
        .all(sql!(
            "SELECT d.id, d.code, d.name, d.category, d.summary, d.hot,
                    (SELECT COUNT(*) FROM doctors o WHERE o.department_id = d.id) AS doctor_count
             FROM departments d WHERE d.tenant_id = $1 ORDER BY d.position, d.code",
            app.tenant
        ))
        .await
}

pub(crate) async fn diseases(app: &App) -> Result<Vec<Disease>, DbError> {
    app.db.all(sql!("SELECT id, name, code, department_id FROM diseases WHERE tenant_id = $1 ORDER BY code, name", app.tenant)).await
}

pub(super) async fn special_services(app: &App) -> Result<Vec<SpecialService>, DbError> {
    app.db.all(sql!("SELECT code, name, summary FROM special_services WHERE tenant_id = $1 ORDER BY position, code", app.tenant)).await
}

pub(super) async fn announcements(app: &App) -> Result<Vec<Announcement>, DbError> {
    app.db
        .all(sql!(
            "SELECT id, title, text, published_at FROM announcements WHERE tenant_id = $1 AND published_at <= $2
             ORDER BY published_at DESC LIMIT $3",
            app.tenant,
            app.clock.now(),
            ANNOUNCEMENTS_SHOWN_MAX
        ))
        .await
}

/// Of what can be searched; see [`touch`].
pub(crate) async fn revision(app: &App) -> Result<i64, DbError> {
    let revision = app.db.scalar(sql!("SELECT revision FROM catalogue_revisions WHERE tenant_id = $1", app.tenant)).await?;
    Ok(revision.unwrap_or(0))
}

/// To be called in every transaction that changes a department, a disease or a doctor's page.
pub(crate) async fn touch(tx: &mut Tx, tenant: TenantId) -> Result<(), DbError> {
    tx.run(sql!(
        "INSERT INTO catalogue_revisions (tenant_id, revision) VALUES ($1, 1)
         ON CONFLICT (tenant_id) DO UPDATE SET revision = catalogue_revisions.revision + 1",
        tenant
    ))
    .await?;
    Ok(())
}

pub(crate) async fn insert_hospital(tx: &mut Tx, tenant: TenantId, hospital: &Hospital) -> Result<(), DbError> {
    tx.run(sql!(
        "INSERT INTO hospitals (tenant_id, name, grade, introduction, address, phone, emergency_phone, website, service_hours)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        tenant,
        hospital.name,
        hospital.grade,
        hospital.introduction,
        hospital.address,
        hospital.phone,
        hospital.emergency_phone,
        hospital.website,
        hospital.service_hours
    ))
    .await?;
    Ok(())
}

pub(crate) async fn insert_department(tx: &mut Tx, tenant: TenantId, department: &Department, position: i64) -> Result<(), DbError> {
    tx.run(sql!(
        "INSERT INTO departments (id, tenant_id, code, name, category, summary, hot, position) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        department.id,
        tenant,
        department.code,
        department.name,
        department.category,
        department.summary,
        department.hot,
        position
    ))
    .await?;
    Ok(())
}

pub(crate) async fn insert_disease(
    tx: &mut Tx,
    tenant: TenantId,
    id: DiseaseId,
    department: DepartmentId,
    code: &str,
    name: &str,
) -> Result<(), DbError> {
    tx.run(sql!(
        "INSERT INTO diseases (id, tenant_id, department_id, code, name) VALUES ($1, $2, $3, $4, $5)",
        id,
        tenant,
        department,
        code,
        name
    ))
    .await?;
    Ok(())
}

pub(crate) async fn insert_special_service(
    tx: &mut Tx,
    tenant: TenantId,
    id: uuid::Uuid,
    service: &SpecialService,
    position: i64,
) -> Result<(), DbError> {
    tx.run(sql!(
        "INSERT INTO special_services (id, tenant_id, code, name, summary, position) VALUES ($1, $2, $3, $4, $5, $6)",
        id,
        tenant,
        service.code,
        service.name,
        service.summary,
        position
    ))
    .await?;
    Ok(())
}

pub(crate) async fn insert_announcement(
    tx: &mut Tx,
    tenant: TenantId,
    id: uuid::Uuid,
    title: &str,
    text: &str,
    published_at: Timestamp,
) -> Result<(), DbError> {
    tx.run(sql!(
        "INSERT INTO announcements (id, tenant_id, title, text, published_at) VALUES ($1, $2, $3, $4, $5)",
        id,
        tenant,
        title,
        text,
        published_at
    ))
    .await?;
    Ok(())
}
