// Objects of the REST API, as /api/openapi.json describes them. Ids are UUID text, times milliseconds UTC, money fen.

export interface Page<T> {
  items: T[]
  page: number
  page_size: number
  total: number
}

export interface Me {
  id: string
  role: 'patient' | 'doctor' | 'reviewer' | 'admin'
  name: string | null
  phone_masked: string | null
  account: string | null
  sex: 'male' | 'female' | 'unknown' | null
  /** `1987-05-31` */
  birth_date: string | null
  avatar_url: string | null
  roles: string[]
}

export interface Session {
  access_token: string
  access_expires_at: number
  refresh_token: string | null
  session_id: string
  user: Me
}

export interface SignedInDevice {
  id: string
  device: string
  created_at: number
  last_seen_at: number
  current: boolean
}

export interface Hospital {
  id: string
  name: string
  grade: string
  introduction: string
  address: string
  phone: string
  emergency_phone: string
  website: string
  service_hours: string
}

export interface Department {
  id: string
  code: string
  name: string
  category: string
  summary: string
  hot: boolean
  doctor_count: number
}

export interface Disease {
  id: string
  name: string
  code: string
  department_id: string
}

export type Kind = 'advice' | 'return_visit'
export type Channel = 'text' | 'voice' | 'video'

export interface Price {
  kind: Kind
  channel: Channel
  amount_fen: number
}

export interface DoctorCard {
  id: string
  user_id: string
  name: string
  avatar_url: string | null
  title: string
  title_label: string
  department: { id: string; name: string }
  hospital: string
  expertise: string
  rating: number | null
  rating_count: number
  consultation_count: number
  online: boolean
  accepting: boolean
  prices: Price[]
}

export interface OpeningHours {
  weekday: number
  start_minute: number
  end_minute: number
}

export interface DoctorPage extends DoctorCard {
  biography: string
  licence: { number_masked: string; verified: boolean }
  certified: boolean
  hours: OpeningHours[]
  diseases: Disease[]
}

export interface ReviewShown {
  id: string
  score: number
  text: string
  tags: string[]
  created_at: number
  author_label: string
}

export interface Announcement {
  id: string
  title: string
  text: string
  published_at: number
}

export interface SpecialService {
  code: string
  name: string
  summary: string
}

export interface Home {
  /** Null in an installation that nobody has filled yet. */
  hospital: Hospital | null
  hot_departments: Department[]
  special_services: SpecialService[]
  hot_doctors: DoctorCard[]
  announcements: Announcement[]
}

export interface SearchFound {
  doctors: DoctorCard[]
  departments: Department[]
  diseases: Disease[]
}

export type NoticeKind = 'scope_notice' | 'informed_consent' | 'av_notice' | 'privacy'

export interface NoticeText {
  kind: NoticeKind
  version: string
  title: string
  text: string
  text_hash: string
}

export interface Attachment {
  id: string
  kind: 'image' | 'voice'
  mime: string
  bytes: number
  width_px?: number | null
  height_px?: number | null
  duration_ms?: number | null
  url: string
  thumbnail_url?: string | null
}

export type ConsultationState =
  | 'created' | 'paid_waiting' | 'in_progress' | 'ending' | 'ended' | 'ended_no_record'
  | 'terminated' | 'rejected' | 'cancelled' | 'expired' | 'settled'

export interface Intake {
  symptoms: string
  onset: string
  past_history: string
  description: string
  attachments: string[]
}

export interface Proof {
  diagnosis: string
  institution: string
  visited_on: string
  attachments: string[]
}

export interface Allowed {
  pay: boolean
  cancel: boolean
  accept: boolean
  reject: boolean
  message: boolean
  call: boolean
  end: boolean
  terminate: boolean
  write_record: boolean
  review: boolean
  continue: boolean
  refund: boolean
}

export interface Consultation {
  id: string
  /** A free follow-up has none. */
  order_no: string | null
  parent_id: string | null
  kind: Kind
  channel: Channel
  state: ConsultationState
  state_label: string
  conversation_id: string | null
  patient: { id: string; name: string; sex: string | null; age: number | null }
  doctor: Pick<DoctorCard, 'id' | 'user_id' | 'name' | 'avatar_url' | 'title_label' | 'department'> & Partial<DoctorCard>
  intake: Intake
  proof?: Proof | null
  price_fen: number
  order?: { id: string; state: OrderState; refund_state: RefundState; amount_fen: number } | null
  created_at: number
  pay_deadline_at?: number | null
  paid_at?: number | null
  window_ends_at?: number | null
  record_due_at?: number | null
  accept_deadline_at?: number | null
  first_reply_deadline_at?: number | null
  accepted_at?: number | null
  ended_at?: number | null
  reject_reason?: string | null
  terminate_reason?: { code: string; detail: string; guidance: string } | null
  record?: { id: string; completed_at: number | null } | null
  review?: { score: number; text: string; state: string } | null
  /** Voice and video only: who has accepted the notice (CON-08). */
  av_consent?: { patient: boolean; doctor: boolean } | null
  version: number
  can: Allowed
  follow_ups_left: number
}

/** What happened in the conversation lately. */
export interface Talk {
  /** Messages of the other side after the read mark, 99 at most. */
  unread: number
  last_line: string | null
  last_at: number | null
  /** Paid and not yet accepted: since when. */
  waiting_since: number | null
  condition_summary: string
}

/** A line of a list; a single consultation has no talk. */
export type ConsultationLine = Consultation & Partial<Talk>
export type DoctorConsultation = Consultation & Talk

export interface MedicalRecord {
  consultation_id?: string
  impression?: string | null
  diagnosis?: string | null
  diagnosis_code?: string | null
  symptom_analysis: string
  basis: string
  advice: string
  medication_advice: string
  references: string[]
  version: number
  signed_at?: number | null
  completed_at?: number | null
}

export interface RecordRow {
  consultation_id: string
  kind: Kind
  doctor_name: string
  title_label: string
  department: string
  /** Impression or diagnosis. */
  summary: string
  completed_at: number
}

export type OrderState = 'unpaid' | 'paid' | 'closed'
export type RefundState = 'none' | 'requested' | 'processing' | 'refunded' | 'failed' | 'denied'

export interface Order {
  id: string
  order_no: string
  subject: string
  consultation_id?: string | null
  amount_fen: number
  state: OrderState
  refund_state: RefundState
  display_state: string
  created_at: number
  paid_at?: number | null
  expires_at: number
  /** `state`: requested, denied, approved, processing, closed, abnormal, success. */
  refunds: { id: string; amount_fen: number; state: string; reason: string; created_at: number; finished_at?: number | null }[]
}

export interface Payment {
  payment_id: string
  prepay_id?: string
  code_url?: string
  /** The simulated cashier; demo only. */
  cashier_url?: string
}

export interface Notification {
  id: string
  category: 'order' | 'doctor' | 'platform'
  title: string
  text: string
  link: { object: string; id: string } | null
  created_at: number
  read_at?: number | null
}
