// Words of the doctor workstation.
export const zh = {
  'doctor.title': '医生工作站',
  'sign_in.account': '工号或账号',
  'sign_in.password': '密码',
  'sign_in.submit': '登录',
  'sign_in.signing_in': '正在登录…',
  'sign_in.intro': '使用医院发放的专用账号登录',
  'sign_in.ended_revoked': '您的登录已在别处被退出,请重新登录',
  'sign_in.ended_replaced': '账号在太多窗口中打开,请重新登录',
  'desk.sign_out': '退出登录',
} as const
