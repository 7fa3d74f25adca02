// Routes of the patient app. Finding a doctor needs no account; what belongs to a person does.
import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router'
import { useRuntime } from '@shared/runtime'
import HomePage from './home/HomePage.vue'

declare module 'vue-router' {
  interface RouteMeta {
    /** Works without an account. */
    open?: boolean
    /** Shows the tab bar. */
    tab?: 'home' | 'consultations' | 'messages' | 'me'
  }
}

const open: RouteRecordRaw[] = [
  { path: '/', name: 'home', component: HomePage, meta: { open: true, tab: 'home' } },
  { path: '/search', name: 'search', component: () => import('./doctors/SearchPage.vue'), meta: { open: true } },
  { path: '/departments', name: 'departments', component: () => import('./doctors/DepartmentsPage.vue'), meta: { open: true } },
  { path: '/doctors', name: 'doctors', component: () => import('./doctors/DoctorsPage.vue'), meta: { open: true } },
  { path: '/doctors/:id', name: 'doctor', component: () => import('./doctors/DoctorPage.vue'), props: true, meta: { open: true } },
  { path: '/emergency', name: 'emergency', component: () => import('./home/EmergencyPage.vue'), meta: { open: true } },
  { path: '/hospital', name: 'hospital', component: () => import('./home/HospitalPage.vue'), meta: { open: true } },
  { path: '/notices/:kind', name: 'notice', component: () => import('./home/NoticePage.vue'), props: true, meta: { open: true } },
  { path: '/sign-in', name: 'sign-in', component: () => import('./signin/SignInPage.vue'), meta: { open: true } },
  { path: '/register', name: 'register', component: () => import('./signin/RegisterPage.vue'), meta: { open: true } },
  { path: '/settings', name: 'settings', component: () => import('./me/SettingsPage.vue'), meta: { open: true } },
]

const own: RouteRecordRaw[] = [
  { path: '/doctors/:id/consult', name: 'intake', component: () => import('./consult/IntakePage.vue'), props: true },
  { path: '/orders', name: 'orders', component: () => import('./orders/OrdersPage.vue') },
  { path: '/orders/:id', name: 'order', component: () => import('./orders/OrderPage.vue'), props: true },
  { path: '/consultations', name: 'consultations', component: () => import('./consult/ConsultationsPage.vue'), meta: { tab: 'consultations' } },
  { path: '/consultations/:id', name: 'consultation', component: () => import('./chat/ChatPage.vue'), props: true },
  { path: '/consultations/:id/record', name: 'record', component: () => import('./records/RecordPage.vue'), props: true },
  { path: '/consultations/:id/review', name: 'review', component: () => import('./consult/ReviewPage.vue'), props: true },
  { path: '/records', name: 'records', component: () => import('./records/RecordsPage.vue') },
  { path: '/messages', name: 'messages', component: () => import('./messages/MessagesPage.vue'), meta: { tab: 'messages' } },
  { path: '/me', name: 'me', component: () => import('./me/MePage.vue'), meta: { tab: 'me' } },
  { path: '/me/profile', name: 'profile', component: () => import('./me/ProfilePage.vue') },
  { path: '/me/devices', name: 'devices', component: () => import('./me/DevicesPage.vue') },
]

export const router = createRouter({
  history: createWebHistory('/'),
  routes: [...open, ...own, { path: '/:rest(.*)*', redirect: '/' }],
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
})

router.beforeEach((to) => {
  if (to.meta.open || useRuntime().session.me) return true
  return { name: 'sign-in', query: { next: to.fullPath } }
})
